namespace HmmFast;

/// <summary>A file, memfd or other object that shared pages come from, by order of creation.</summary>
/// <param name="Index">0 for the first file; <see cref="None"/> where there is none.</param>
public readonly record struct FileId(int Index)
{
    /// <summary>No file.</summary>
    public static readonly FileId None = new(-1);
}
