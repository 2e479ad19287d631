namespace HmmFast.Tests.Architecture;

/// <summary>Where the repository's files are when its tests run.</summary>
internal static class RepositoryRoot
{
    /// <summary>The directory that holds HmmFast.sln.</summary>
    public static string Find()
    {
        for (DirectoryInfo? directory = new(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "HmmFast.sln")))
            {
                return directory.FullName;
            }
        }

        throw new DirectoryNotFoundException($"No directory above {AppContext.BaseDirectory} holds HmmFast.sln.");
    }
}
