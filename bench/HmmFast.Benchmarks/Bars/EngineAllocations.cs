namespace HmmFast.Benchmarks.Bars;

/// <summary>Managed memory that a call allocates: none, at any size and on any machine.</summary>
internal static class EngineAllocations
{
    // A collection meanwhile takes what was left of the thread's buffer away, which then counts; such a call is made again.
    private const int Tries = 20;

    /// <summary>Counts the bytes of one call after it has been made before.</summary>
    /// <param name="session">Where it is kept.</param>
    /// <param name="work">The call in words.</param>
    /// <param name="pageCount">At what size.</param>
    /// <param name="run">The call.</param>
    /// <param name="prepare">Runs before every call and is not counted; null when nothing needs to be.</param>
    /// <param name="most">Bytes allowed, whatever the size: what the call hands out.</param>
    public static void Add(BarSession session, string work, ulong pageCount, Action run, Action? prepare = null, long most = 0)
    {
        _ = Count(run, prepare);
        _ = Count(run, prepare);
        session.Add(new BarResult(work, pageCount, "managed bytes allocated a call", Count(run, prepare), most, MustStayBelow: true, IsExact: true));
    }

    private static long Count(Action run, Action? prepare)
    {
        long bytes = 0;
        for (int attempt = 0; attempt < Tries; attempt++)
        {
            prepare?.Invoke();
            int collections = GC.CollectionCount(0);
            long before = GC.GetAllocatedBytesForCurrentThread();
            run();
            bytes = GC.GetAllocatedBytesForCurrentThread() - before;
            if (bytes == 0 || GC.CollectionCount(0) == collections)
            {
                break;
            }
        }

        return bytes;
    }
}
