using System.Runtime.CompilerServices;

namespace HmmFast.Kernels;

/// <summary>The messages of this room: each names the value and the bound.</summary>
internal static class KernelThrow
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void IfLengthsDiffer(string name, int length, int expected)
    {
        if (length != expected)
        {
            Lengths(name, length, expected);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void IfShorter(string name, int length, int atLeast)
    {
        if (length < atLeast)
        {
            Shorter(name, length, atLeast);
        }
    }

    public static void CheckFormat(in WordFormat format)
    {
        if (format.KindShift is not 0 and (< 33 or > 58))
        {
            throw new ArgumentOutOfRangeException(nameof(format), format.KindShift, $"Kind bits cannot go to bit {format.KindShift}: 0 (none) or 33..58.");
        }
    }

    public static void CheckRequest(in PageRequest request)
    {
        if (request.AllowBit is not 0 and (< 7 or > 63))
        {
            throw new ArgumentOutOfRangeException(nameof(request), request.AllowBit, $"The allow bit cannot be bit {request.AllowBit}: 0 (none) or 7..63.");
        }
    }

    private static void Lengths(string name, int length, int expected) =>
        throw new ArgumentException($"{name} has {length} elements, expected {expected}.", name);

    private static void Shorter(string name, int length, int atLeast) =>
        throw new ArgumentException($"{name} has {length} elements, at least {atLeast} are needed.", name);
}
