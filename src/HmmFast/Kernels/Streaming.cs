using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace HmmFast.Kernels;

/// <summary>When results go past the cache, and what that needs.</summary>
internal static unsafe class Streaming
{
    /// <summary>
    /// From this many words on, a result is written with non-temporal stores: 8 MiB, more than a core's share of the last cache. Below it they lose
    /// because the reader that follows finds nothing in cache; above they save reading every line before it is overwritten.
    /// </summary>
    public const int ThresholdWords = 1 << 20;

    /// <summary>Whether a result of this size should be streamed; words that are not on an 8-byte border never are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Pays(ulong* words, int count) => count >= ThresholdWords && ((nuint)words & 7) == 0;

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
