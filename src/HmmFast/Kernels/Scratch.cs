using System.Runtime.CompilerServices;

namespace HmmFast.Kernels;

/// <summary>
/// One block's worth of everything on the stack, each part on a 64-byte border. The last, partial block of a column is copied here, worked on as a full
/// one and copied back as far as it goes: results are in-out, so a last vector that overlaps the one before would read its own output.
/// </summary>
internal unsafe struct Scratch
{
    /// <summary>What to allocate on the stack for one, with room to align it.</summary>
    public const int AllocationBytes = (6 * 64) + (64 * 4) + (64 * 8) + 64;

    /// <summary>64 classes.</summary>
    public fixed byte Classes[64];

    /// <summary>Codes of the second three tables.</summary>
    public fixed byte CodesAllowed[64];

    /// <summary>64 codes.</summary>
    public fixed byte Codes[64];

    /// <summary>Codes of a second table.</summary>
    public fixed byte Codes1[64];

    /// <summary>Codes of a third table.</summary>
    public fixed byte Codes2[64];

    /// <summary>Request bytes.</summary>
    public fixed byte Requests[64];

    /// <summary>64 frame numbers.</summary>
    public fixed uint Pfns[64];

    /// <summary>64 words.</summary>
    public fixed ulong Words[64];

    /// <summary>The scratch inside a stack allocation of <see cref="AllocationBytes"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scratch* In(byte* allocation) => (Scratch*)(((nuint)allocation + 63) & ~(nuint)63);
}
