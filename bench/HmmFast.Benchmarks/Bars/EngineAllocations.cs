namespace HmmFast.Benchmarks.Bars;

/// <summary>Managed memory that a call allocates: none, at any size and on any machine.</summary>
internal static class EngineAllocations
{
    /// <summary>Counts the bytes of one call after it has been made before.</summary>
    public static void Add(BarSession session, string work, ulong pageCount, Action run)
    {
        run();
        run();
        long before = GC.GetAllocatedBytesForCurrentThread();
        run();
        long bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        session.Add(new BarResult(work, pageCount, "managed bytes allocated a call", bytes, 0, MustStayBelow: true, IsExact: true));
    }
}
