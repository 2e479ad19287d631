using System.Runtime.CompilerServices;
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

    /// <summary>Whether a resolve of this size should be streamed; words that are not on an 8-byte border never are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Pays(ulong* words, int count) => count >= ThresholdWords && ((nuint)words & 7) == 0;

    /// <summary>Whether a fill of this size should be streamed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool FillPays(ulong* words, int count) => count >= FillThresholdWords && ((nuint)words & 7) == 0;

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
}
