using System.Formats.Tar;

namespace HmmFast.Simulation.Machines.Readers;

/// <summary>A tree of files in a tar file, held in memory; links inside it are followed. Entries and bytes are bounded.</summary>
internal sealed class TarTree : FileTree
{
    private const int MaxEntries = 500_000;
    private const int MaxLinkHops = 32;
    private const int MaxDepth = 64;

    private readonly Node _root = new();

    public TarTree(string name, byte[] tar)
        : base(name)
    {
        int count = 0;
        try
        {
            using var reader = new TarReader(new MemoryStream(tar, writable: false));
            while (reader.GetNextEntry(copyData: false) is TarEntry entry)
            {
                if (++count > MaxEntries)
                {
                    throw new MachineReadException(name, 0, entry.Name, $"more than {MaxEntries} entries in the tar file");
                }

                Add(entry);
            }
        }
        catch (Exception fault) when (fault is InvalidDataException or IOException or FormatException or ArgumentException
            or NotSupportedException or OverflowException or InvalidOperationException)
        {
            throw new MachineReadException(name, 0, null, $"not a whole tar file, it breaks after {count} entries: {fault.Message}", fault);
        }
    }

    public override IReadOnlyList<string> Folders(string path)
    {
        var names = new List<string>();
        if (Find(path) is Node { Children: { } children })
        {
            foreach ((string name, Node child) in children)
            {
                if (child.Children is not null || (child.Link is not null && Find(Join(path, name)) is { Children: not null } or null))
                {
                    names.Add(name);
                }
            }
        }

        names.Sort(StringComparer.Ordinal);
        return names;
    }

    public override IReadOnlyList<string> Files(string path)
    {
        var names = new List<string>();
        if (Find(path) is Node { Children: { } children })
        {
            foreach ((string name, Node child) in children)
            {
                if (child.Content is not null)
                {
                    names.Add(name);
                }
            }
        }

        names.Sort(StringComparer.Ordinal);
        return names;
    }

    public override byte[]? Read(string path) => Find(path)?.Content;

    public override bool HasFile(string path) => Find(path)?.Content is not null;

    public override string? LinkTarget(string path)
    {
        int slash = path.LastIndexOf('/');
        Node? folder = slash < 0 ? _root : Find(path[..slash]);
        return folder?.Children?.GetValueOrDefault(path[(slash + 1)..])?.Link;
    }

    private void Add(TarEntry entry)
    {
        string[] parts = entry.Name.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length > MaxDepth)
        {
            throw new MachineReadException(Name, 0, entry.Name, $"a path of more than {MaxDepth} folders in the tar file");
        }

        Node at = _root;
        foreach (string part in parts)
        {
            if (part == ".")
            {
                continue;
            }

            if (part == "..")
            {
                throw new MachineReadException(Name, 0, entry.Name, "a path that leads out of the tar file");
            }

            at.Children ??= new Dictionary<string, Node>(StringComparer.Ordinal);
            if (!at.Children.TryGetValue(part, out Node? next))
            {
                next = new Node();
                at.Children.Add(part, next);
            }

            at = next;
        }

        switch (entry.EntryType)
        {
            case TarEntryType.Directory:
                at.Children ??= new Dictionary<string, Node>(StringComparer.Ordinal);
                break;
            case TarEntryType.SymbolicLink:
                at.Link = entry.LinkName;
                break;
            case TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile:
                at.Content = Content(entry);
                break;
            default:
                break;
        }
    }

    private static byte[] Content(TarEntry entry)
    {
        if (entry.DataStream is not Stream stream || entry.Length > MaxFileBytes)
        {
            return [];
        }

        byte[] bytes = new byte[entry.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    // Follows links on the way; a link that leads out of the tree, or round and round, leads nowhere.
    private Node? Find(string path)
    {
        var todo = new Stack<string>();
        Push(todo, path);
        var trail = new Stack<Node>();
        Node at = _root;
        int hops = 0;
        while (todo.TryPop(out string? part))
        {
            if (part is "." or "")
            {
                continue;
            }

            if (part == "..")
            {
                if (!trail.TryPop(out Node? above))
                {
                    return null;
                }

                at = above;
                continue;
            }

            if (at.Children is null || !at.Children.TryGetValue(part, out Node? next))
            {
                return null;
            }

            if (next.Link is string link && next.Children is null)
            {
                if (++hops > MaxLinkHops || link.StartsWith('/'))
                {
                    return null;
                }

                Push(todo, link);
                continue;
            }

            trail.Push(at);
            at = next;
        }

        return at;
    }

    private static void Push(Stack<string> todo, string path)
    {
        string[] parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        for (int i = parts.Length - 1; i >= 0; i--)
        {
            todo.Push(parts[i]);
        }
    }

    private sealed class Node
    {
        public Dictionary<string, Node>? Children { get; set; }

        public byte[]? Content { get; set; }

        public string? Link { get; set; }
    }
}
