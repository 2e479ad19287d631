namespace HmmFast.PlantedFaults.Faults;

/// <summary>
/// Loops that leave their buffers by one vector, at either end, reading or writing. Nothing they compute is wrong, so no comparison sees them: the guard pages
/// around the buffers must, by the death of the check's process. That shows that the guards bite.
/// </summary>
public static class KernelBoundsFaults
{
    private const string Folder = "src/HmmFast/Kernels/";
    private const string Check = "kernel-bounds";

    /// <summary>All of them. Systems without guard pages have none.</summary>
    public static IReadOnlyList<PlantedFault> All { get; } = OperatingSystem.IsWindows() ? [] :
    [
        new("reads-behind-the-column", "a search reads no block behind its column", Folder + "ScanLoops.cs",
            "        byte first = *values;\n",
            "        byte first = *values;\n        _ = TLanes.Equal64(values + count, first);\n", Check, KillsProcess: true),
        new("reads-before-the-column", "a search reads no block in front of its column", Folder + "ScanLoops.cs",
            "        byte first = *values;\n",
            "        byte first = *values;\n        _ = TLanes.Equal64(values - 64, first);\n", Check, KillsProcess: true),
        new("writes-behind-the-column", "a fill writes no block behind its column", Folder + "FillLoops.cs",
            "        TLanes.Iota(values, full, first);\n",
            "        TLanes.Iota(values, full + 64, first);\n", Check, KillsProcess: true),
        new("writes-before-the-column", "a fill writes no block in front of its column", Folder + "FillLoops.cs",
            "        TLanes.Iota(values, full, first);\n",
            "        TLanes.Iota(values - 64, full + 64, first - 64);\n", Check, KillsProcess: true),
        new("bitmap-word-behind", "a bitmap has a word for its pages and none more", Folder + "ScanLoops.cs",
            "        long members = MarkBlocks(classes, full, table, bits, bitmap);\n        ulong last = 0;\n",
            "        long members = MarkBlocks(classes, full, table, bits, bitmap);\n        ulong last = 0;\n        if (bitmap != null && full == count)\n        {\n            bitmap[full >> 6] = 0;\n        }\n\n", Check, KillsProcess: true),
        new("number-behind-the-last", "a block that looks one number ahead is never the column's last", Folder + "ScanLoops.cs",
            "for (; i + 64 < count; i += 64)", "for (; i + 64 <= count; i += 64)", Check, KillsProcess: true),
    ];
}
