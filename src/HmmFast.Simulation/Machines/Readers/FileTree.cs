namespace HmmFast.Simulation.Machines.Readers;

/// <summary>A tree of small files, on disk or packed; paths are relative, with slashes, "" is the top.</summary>
internal abstract class FileTree(string name)
{
    /// <summary>Attribute files are small; /proc/cpuinfo of a large machine is the largest file read.</summary>
    public const int MaxFileBytes = 8 << 20;

    /// <summary>The tree's name for messages.</summary>
    public string Name { get; } = name;

    /// <summary>The names of the folders in a folder, links to folders included, in ordinal order.</summary>
    public abstract IReadOnlyList<string> Folders(string path);

    /// <summary>The names of the files in a folder.</summary>
    public abstract IReadOnlyList<string> Files(string path);

    /// <summary>The file's bytes; null = no such file, or it cannot be read (an attribute of a device that is off).</summary>
    public abstract byte[]? Read(string path);

    /// <summary>Whether there is a file (not a folder).</summary>
    public abstract bool HasFile(string path);

    /// <summary>Where a link points to, as it is written; null = no link.</summary>
    public abstract string? LinkTarget(string path);

    /// <summary>A path below another.</summary>
    public static string Join(string path, string name) => path.Length == 0 ? name : $"{path}/{name}";

    /// <summary>The path as messages show it.</summary>
    public string Show(string path) => path.Length == 0 ? Name : $"{Name}/{path}";

    /// <summary>The first line of a file without blanks around it; null = no such file, empty or not readable.</summary>
    public string? ReadLine(string path)
    {
        byte[]? bytes = Read(path);
        if (bytes is null)
        {
            return null;
        }

        int end = Array.IndexOf(bytes, (byte)'\n');
        string line = System.Text.Encoding.Latin1.GetString(bytes, 0, end < 0 ? bytes.Length : end).Trim();
        return line.Length == 0 ? null : line;
    }
}
