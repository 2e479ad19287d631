namespace HmmFast.Simulation.Machines.Readers;

/// <summary>A tree of files on disk, such as /sys or a copy of it.</summary>
internal sealed class DiskTree(string root) : FileTree(root)
{
    public override IReadOnlyList<string> Folders(string path) => List(path, Directory.EnumerateDirectories);

    public override IReadOnlyList<string> Files(string path) => List(path, Directory.EnumerateFiles);

    public override byte[]? Read(string path)
    {
        try
        {
            using var stream = new FileStream(At(path), FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            var bytes = new MemoryStream();
            byte[] buffer = new byte[4096];
            int count;
            while ((count = stream.Read(buffer)) > 0 && bytes.Length < MaxFileBytes)
            {
                bytes.Write(buffer, 0, count);
            }

            return bytes.ToArray();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // Attributes of devices that are off, or that only root may read, fail; what they would say stays unknown.
            return null;
        }
    }

    public override bool HasFile(string path) => File.Exists(At(path));

    public override string? LinkTarget(string path)
    {
        try
        {
            return new FileInfo(At(path)).LinkTarget;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private string At(string path) => path.Length == 0 ? Name : Path.Combine(Name, path);

    private List<string> List(string path, Func<string, IEnumerable<string>> list)
    {
        var names = new List<string>();
        try
        {
            foreach (string full in list(At(path)))
            {
                names.Add(Path.GetFileName(full));
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            names.Clear();
        }

        names.Sort(StringComparer.Ordinal);
        return names;
    }
}
