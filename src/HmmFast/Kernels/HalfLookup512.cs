using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace HmmFast.Kernels;

/// <summary>The look-up of <see cref="Lanes512"/> for tables of at most 128 entries: one VPERMI2B and nothing to blend.</summary>
internal readonly unsafe struct HalfLookup512 : ILookup512<HalfLookup512>
{
    /// <summary>The most entries it can look up.</summary>
    public const int Capacity = 128;

    private readonly Vector512<byte> _row0;
    private readonly Vector512<byte> _row4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private HalfLookup512(byte* entries)
    {
        _row0 = Vector512.Load(entries);
        _row4 = Vector512.Load(entries + 64);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static HalfLookup512 Load(byte* entries, int rowCount) => new(entries);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<byte> Lookup(Vector512<byte> classes) => Avx512Vbmi.PermuteVar64x8x2(_row0, classes, _row4);
}
