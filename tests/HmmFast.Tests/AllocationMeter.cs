namespace HmmFast.Tests;

/// <summary>Managed bytes that calls allocate, counted so that a collection meanwhile does not add to them.</summary>
internal static class AllocationMeter
{
    // Other tests run beside this one and collect when they like; a call that allocates shows in every try.
    private const int Tries = 20;

    /// <summary>
    /// The bytes of the last call. The count of a thread is off by what was left of its allocation buffer when a collection took that away (seen: 6,576 bytes), so a call
    /// during which a collection ran is made again.
    /// </summary>
    /// <param name="warmups">Calls before that are not counted: they build tables and grow scratch memory.</param>
    /// <param name="calls">Calls counted; the largest is answered.</param>
    /// <param name="prepare">Runs before every call and is not counted.</param>
    /// <param name="call">What is counted.</param>
    public static long LargestOf(int warmups, int calls, Action prepare, Action call)
    {
        long largest = 0;
        for (int i = 0; i < warmups + calls; i++)
        {
            long bytes = 0;
            for (int attempt = 0; attempt < Tries; attempt++)
            {
                prepare();
                int collections = GC.CollectionCount(0);
                long before = GC.GetAllocatedBytesForCurrentThread();
                call();
                bytes = GC.GetAllocatedBytesForCurrentThread() - before;
                if (bytes == 0 || GC.CollectionCount(0) == collections)
                {
                    break;
                }
            }

            largest = i < warmups ? 0 : Math.Max(largest, bytes);
        }

        return largest;
    }
}
