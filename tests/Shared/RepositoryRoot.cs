namespace HmmFast.Testing;

/// <summary>Where the repository's files are when its tests run. Compiled into each test project that reads them.</summary>
internal static class RepositoryRoot
{
    /// <summary>The directory that holds HmmFast.sln.</summary>
    /// <exception cref="DirectoryNotFoundException">None above the program does.</exception>
    public static string Find()
    {
        for (DirectoryInfo? directory = new(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "HmmFast.sln")))
            {
                return directory.FullName;
            }
        }

        throw new DirectoryNotFoundException($"No directory above {AppContext.BaseDirectory} holds HmmFast.sln; the sources are needed.");
    }
}
