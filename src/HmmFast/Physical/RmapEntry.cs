using System.Runtime.InteropServices;

namespace HmmFast.Physical;

/// <summary>
/// A frame's place in the object that it is a page of. Both halves side by side, because what touches one touches the other: one cache line a frame instead of two.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = 8)]
internal struct RmapEntry
{
    /// <summary>The anonymous index (page number within the window) or the file's page. The low half: as words, entries of a run count up.</summary>
    public uint Index;

    /// <summary>The family of address spaces (anonymous frames) or the file object.</summary>
    public uint Object;

    /// <summary>Makes one.</summary>
    public RmapEntry(uint @object, uint index)
    {
        Object = @object;
        Index = index;
    }

    /// <summary>As a word.</summary>
    public readonly ulong Word => ((ulong)Object << 32) | Index;
}
