namespace HmmFast.Simulation.Machines.Readers;

/// <summary>Finds the machines in a tree of files: folders of PCI functions and folders of kfd nodes.</summary>
internal static class TreeFinder
{
    private const int MaxFolders = 20_000;
    private const int MaxDepth = 12;

    // Tried before the search, so that a whole copied /sys is one machine and is found at once.
    private static readonly string[] UsualPci = ["", "bus/pci/devices", "sys/bus/pci/devices", "pci/devices", "devices"];
    private static readonly string[] UsualKfd =
        ["nodes", "topology/nodes", "kfd/topology/nodes", "kfd/kfd/topology/nodes", "class/kfd/kfd/topology/nodes", "sys/class/kfd/kfd/topology/nodes"];

    public static IReadOnlyList<(string Path, bool IsKfd, string? KfdBeside)> Find(FileTree tree)
    {
        string? pci = Array.Find(UsualPci, path => HoldsFunctions(tree, path));
        string? kfd = Array.Find(UsualKfd, path => HoldsNodes(tree, path)) ?? (HoldsNodes(tree, "") ? "" : null);
        if (pci is not null)
        {
            return [(pci, false, kfd)];
        }

        if (kfd is not null)
        {
            return [(kfd, true, null)];
        }

        var found = new List<(string, bool, string?)>();
        var queue = new Queue<(string Path, int Depth)>();
        queue.Enqueue(("", 0));
        int visited = 0;
        while (queue.TryDequeue(out (string Path, int Depth) at) && visited++ < MaxFolders)
        {
            if (HoldsFunctions(tree, at.Path))
            {
                found.Add((at.Path, false, null));
                continue;
            }

            if (HoldsNodes(tree, at.Path))
            {
                found.Add((at.Path, true, null));
                continue;
            }

            foreach (string name in at.Depth < MaxDepth ? tree.Folders(at.Path) : [])
            {
                string path = FileTree.Join(at.Path, name);
                if (tree.LinkTarget(path) is null)
                {
                    queue.Enqueue((path, at.Depth + 1));
                }
            }
        }

        return found;
    }

    private static bool HoldsFunctions(FileTree tree, string path)
    {
        foreach (string name in tree.Folders(path))
        {
            if (SysfsReader.IsFunctionName(name, out _) || SysfsReader.IsRootName(name, out _))
            {
                return true;
            }
        }

        return false;
    }

    private static bool HoldsNodes(FileTree tree, string path)
    {
        foreach (string name in tree.Folders(path))
        {
            if (Numbers.TryInt(name, out _) && tree.HasFile(FileTree.Join(FileTree.Join(path, name), "properties"))
                && (path.Length == 0 || path == "nodes" || path.EndsWith("/nodes", StringComparison.Ordinal)))
            {
                return true;
            }
        }

        return false;
    }
}
