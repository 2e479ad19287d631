namespace HmmFast.Simulation.Traces;

/// <summary>Names what a recording shows of a page: the VMA and what its entry holds. The rows of the difference and coverage tables.</summary>
public static class PageStateNames
{
    /// <summary>A page without a VMA.</summary>
    public const string Hole = "hole";

    /// <summary>The state of a page as a step recorded it.</summary>
    /// <param name="step">The step; null before the first one.</param>
    /// <param name="page">The page; past the region's end there is always a hole.</param>
    /// <param name="device">The device that looks, or -1: then device memory is named by no owner.</param>
    public static string Of(TraceStep? step, int page, int device)
    {
        if (step is null)
        {
            return Hole;
        }

        foreach (TraceVma vma in step.Vmas)
        {
            if (page >= vma.Page && page < vma.Page + vma.Count)
            {
                return Of(vma, StateOf(step, page), device);
            }
        }

        return Hole;
    }

    /// <summary>The state of a page in a VMA.</summary>
    public static string Of(in TraceVma vma, in TracePage page, int device)
    {
        string mapping = vma.Kind + (vma.Permissions[3] == 's' || vma.Kind is "anon" or "mixed" ? "" : "-private");
        string protection = vma.Permissions[0] == '-' ? "none" : vma.Permissions[1] == 'w' ? "rw" : "r";
        return $"{mapping} {protection}, {EntryName(page, device)}";
    }

    private static TracePage StateOf(TraceStep step, int page)
    {
        foreach (TracePageRun run in step.Pages)
        {
            if (page >= run.Page && page < run.Page + run.Count)
            {
                return run.State;
            }
        }

        return new TracePage(0xFF, 0xFF, '-', TracePageFlags.None, 0, 0);
    }

    private static string EntryName(in TracePage page, int device)
    {
        switch (page.Entry)
        {
            case '-':
                return "none";
            case 'S':
                return "swap";
            case 'D':
                return $"private{Side(page, device)}";
            case 'd':
                return $"private{Side(page, device)} read-only";
            case 'X':
                return "device-exclusive";
            case 'x':
                return "device-exclusive read-only";
            case 'M':
                return "migration";
            case 'K':
                return "marker";
        }

        if (page.Snapshot0 != 0xFF && (page.Snapshot0 & 0x40) != 0)
        {
            bool isFirst = (page.Snapshot0 & 0xF0) == 0x40;
            string access = (page.Snapshot0 & 2) != 0 ? "" : " read-only";
            return device < 0 ? $"coherent{access}" : $"coherent {(isFirst == (device == 0) ? "own" : "other")}{access}";
        }

        bool isHuge = page.Snapshot0 != 0xFF && (page.Snapshot0 & 4) != 0;
        if ((page.Flags & TracePageFlags.Zero) != 0)
        {
            return isHuge ? "huge zero page" : "zero page";
        }

        // Frames of device memory show no letters; a disk file's frames show none either, but the page map calls them file-backed.
        string source = (page.Flags & TracePageFlags.Anonymous) != 0 ? "anonymous"
            : (page.Flags & (TracePageFlags.FrameMask | TracePageFlags.File)) == 0 ? "coherent"
            : "file";
        string size = isHuge ? "huge " : (page.Flags & TracePageFlags.HugePart) != 0 ? "part of huge " : "";
        string access2 = page.Snapshot0 == 0xFF ? "" : (page.Snapshot0 & 2) != 0 ? " writable" : " read-only";
        return $"{size}{source}{access2}";
    }

    private static string Side(in TracePage page, int device)
    {
        bool first = page.Snapshot0 is not 0 and not 0xFF;
        bool second = page.Snapshot1 is not 0 and not 0xFF;
        return device < 0 || first == second ? "" : first == (device == 0) ? " own" : " other";
    }
}
