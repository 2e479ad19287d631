using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace HmmFast.Memory;

/// <summary>The messages of this room: each names the value and the bound.</summary>
internal static class MemoryThrow
{
    [DoesNotReturn]
    public static void Index(long index, long length) =>
        throw new ArgumentOutOfRangeException(nameof(index), index, $"Index {index} is outside 0..{length - 1} (length {length}).");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void IfOutside(long start, long count, long length)
    {
        if ((ulong)start > (ulong)length || (ulong)count > (ulong)(length - start))
        {
            Range(start, count, length);
        }
    }

    [DoesNotReturn]
    public static void Range(long start, long count, long length) =>
        throw new ArgumentOutOfRangeException(nameof(start), start, $"Elements {start}..+{count} do not lie inside a length of {length}.");

    [DoesNotReturn]
    public static void Disposed(string what) => throw new ObjectDisposedException(what, $"{what} was used after it had been disposed.");
}
