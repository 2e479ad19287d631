using System.Runtime.InteropServices;

namespace HmmFast.Physical;

/// <summary>
/// A frame's flags and mapcount, side by side: what asks for one asks for the other, and as one number they are compared and written in one pass. All zero: free.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = 4)]
internal struct FrameState
{
    /// <summary>What is known of it. The low half.</summary>
    public FrameFlags Flags;

    /// <summary>Page table entries that hold it.</summary>
    public ushort MapCount;

    /// <summary>One mapping, as part of <see cref="Word(FrameFlags, ushort)"/>.</summary>
    public const uint OneMapping = 1U << 16;

    /// <summary>Both as one number.</summary>
    public static uint Word(FrameFlags flags, ushort mapCount) => (uint)flags | (mapCount * OneMapping);
}
