using System.Globalization;

namespace HmmFast.Benchmarks.Bars;

/// <summary>What pages and frames cost in memory that the system has given, by what the process holds before and after.</summary>
public static class EngineMemoryBars
{
    /// <summary>Measures.</summary>
    /// <param name="session">Sizes.</param>
    /// <param name="baselines">Not used.</param>
    public static void Measure(BarSession session, string? baselines)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        // Reserved: an address space of 1 TiB (a smoke run: 16 GiB), of which this much is touched.
        ulong pageCount = session.Largest(1 << 14, 1 << 20, 1 << 24);
        ulong window = session.Rounds > 1 ? 1UL << 28 : 1UL << 22;
        using var world = new EngineWorld(pageCount, windowPages: window);
        long empty = ResidentBytes();
        world.Write(world.All);
        long written = ResidentBytes();
        using IAddressSpace child = world.Space.Fork();
        long forked = ResidentBytes();

        // A child has a page table of its own over the same frames.
        double table = (double)(forked - written) / pageCount;
        double frame = (double)(written - empty) / pageCount - table;
        string note = $"(resident, of an address space of {window / PageOrder.PagesPerGibibyte:n0} GiB)";
        session.Add(new BarResult("page table", pageCount, "bytes a page", table, 5.1, MustStayBelow: true, note));
        session.Add(new BarResult("frames", pageCount, "bytes a frame", frame, 12, MustStayBelow: true,
            "(resident; the columns are 12, the rest is a bit a frame that says whether it is free, and the counts of 2 MiB folios)"));
    }

    private static long ResidentBytes()
    {
        GC.Collect();
        string[] fields = File.ReadAllText("/proc/self/statm").Split(' ');
        return long.Parse(fields[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;
    }
}
