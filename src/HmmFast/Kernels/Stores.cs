using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace HmmFast.Kernels;

/// <summary>How result words reach memory; a type parameter, so that a loop pays nothing for the choice.</summary>
internal unsafe interface IStore
{
    static abstract void Store(Vector128<ulong> value, ulong* address);

    static abstract void Store(Vector256<ulong> value, ulong* address);

    static abstract void Store(Vector512<ulong> value, ulong* address);

    static abstract void Store(ulong value, ulong* address);
}

/// <summary>Ordinary stores: best while the result stays in cache, or the words were just read.</summary>
internal readonly unsafe struct CachedStore : IStore
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<ulong> value, ulong* address) => value.Store(address);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<ulong> value, ulong* address) => value.Store(address);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<ulong> value, ulong* address) => value.Store(address);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(ulong value, ulong* address) => *address = value;
}

/// <summary>Stores past the cache: no line is read only to be overwritten. Addresses are aligned to the vector.</summary>
internal readonly unsafe struct StreamingStore : IStore
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<ulong> value, ulong* address) => value.StoreAlignedNonTemporal(address);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<ulong> value, ulong* address) => value.StoreAlignedNonTemporal(address);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<ulong> value, ulong* address) => value.StoreAlignedNonTemporal(address);

    /// <summary>One word; words stored one behind the other leave as whole lines.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(ulong value, ulong* address)
    {
        if (Sse2.X64.IsSupported)
        {
            Sse2.X64.StoreNonTemporal(address, value);
        }
        else
        {
            *address = value;
        }
    }
}
