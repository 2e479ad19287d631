using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace HmmFast.Kernels;

/// <summary>When results go past the cache, and what that needs.</summary>
internal static unsafe class Streaming
{
    /// <summary>
    /// From this many words on, a resolve writes with non-temporal stores: with its columns that is 20 MB, more than stays in the last cache. Below, they
    /// lose because the cache takes the result faster than memory; above, they save reading every line before it is overwritten (perf-results, hot kernels).
    /// </summary>
    public const int ThresholdWords = 3 << 19;

    /// <summary>The same for a fill, which reads nothing and so stays in cache longer.</summary>
    public const int FillThresholdWords = 1 << 22;

    /// <summary>Fewer words than this are not worth finding the border for.</summary>
    private const int LeastWords = 128;

    /// <summary>Whether a resolve of this size, or a part of a result of this size, should be streamed; words that are not on an 8-byte border never are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Pays(ulong* words, int count, long resultWords) =>
        Math.Max(count, resultWords) >= ThresholdWords && count >= LeastWords && ((nuint)words & 7) == 0;

    /// <summary>Whether a fill of this size should be streamed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool FillPays(ulong* words, int count) => count >= FillThresholdWords && ((nuint)words & 7) == 0;

    /// <summary>
    /// From this many runs on, their words and first pages are written past the cache: 12 MiB. The columns they come from are read besides.
    /// </summary>
    public const int ThresholdRuns = 1 << 20;

    /// <summary>Whether runs should be streamed, if those of all pages are as frequent as of those seen.</summary>
    public static bool RunsPay(uint* starts, ulong* words, int runs, int page, int pages) =>
        (long)runs * pages / page >= ThresholdRuns && ((nuint)words & 7) == 0 && ((nuint)starts & 3) == 0;

    /// <summary>Copies 64 bytes past the cache; the destination is on a 64-byte border.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void CopyLine(ulong* from, ulong* to, int widthBits)
    {
        if (widthBits >= 512)
        {
            StreamingStore.Store(Vector512.Load(from), to);
        }
        else if (widthBits >= 256)
        {
            StreamingStore.Store(Vector256.Load(from), to);
            StreamingStore.Store(Vector256.Load(from + 4), to + 4);
        }
        else
        {
            for (nint i = 0; i < 8; i += 2)
            {
                StreamingStore.Store(Vector128.Load(from + i), to + i);
            }
        }
    }

    /// <summary>
    /// From this many pages on, a bitmap of them is written past the cache: the classes it comes from fill most of that. It is 1/8 of what is read, and 1/4 if its lines are
    /// read as well.
    /// </summary>
    public const int ThresholdBitmapPages = 1 << 23;

    /// <summary>Whether a bitmap, if there is one, should be streamed.</summary>
    public static bool BitmapPays(ulong* bitmap, nint pages) => bitmap != null && pages >= ThresholdBitmapPages && ((nuint)bitmap & 7) == 0;

    /// <summary>
    /// How far ahead a search for runs asks for memory: 4 KiB of frame numbers. At 16 Mi pages in runs of 64, times resolve: without 1.41, 2 KiB 1.60, 4 KiB 1.68, 8 KiB 1.69
    /// (but slower in cache), 16 KiB 1.56.
    /// </summary>
    private const int AheadPages = 1024;

    /// <summary>Asks for the five lines of a later block of 64 pages: the processor's own look-ahead does not reach as far as memory is away.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AskForColumns(byte* classes, uint* pfns)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(classes + AheadPages);
            Sse.Prefetch0(pfns + AheadPages);
            Sse.Prefetch0(pfns + AheadPages + 16);
            Sse.Prefetch0(pfns + AheadPages + 32);
            Sse.Prefetch0(pfns + AheadPages + 48);
        }
    }

    /// <summary>Words in front of the first 64-byte border.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int WordsToBorder(ulong* words) => (int)((0 - (nuint)words) & 63) >> 3;

    /// <summary>Orders streamed stores before everything after, as ordinary stores would be.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fence()
    {
        if (Sse.IsSupported)
        {
            Sse.StoreFence();
        }
    }

    /// <summary>Asks for a cache line that will be needed. Only a hint: it reads nothing, and any address will do.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fetch(void* address)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(address);
        }
    }

    /// <summary>
    /// As <see cref="Fetch"/>, for lines in no order that are needed much later: as far as the second cache, which waits for more lines at a time than the first one does.
    /// Touching 4 bytes of 64 MiB in random order costs 8 ns with lines asked for from the first cache, however far ahead, and 4 ns so (Zen 4).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void FetchFar(void* address)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch1(address);
        }
    }
}
