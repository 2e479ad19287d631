using System.Runtime.CompilerServices;

namespace HmmFast.Physical;

/// <summary>The flags of the state column, by frame number.</summary>
internal readonly unsafe struct FlagView(FrameState* states)
{
    public ref FrameFlags this[ulong frame]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref states[frame].Flags;
    }
}

/// <summary>The mapcounts of the state column, by frame number.</summary>
internal readonly unsafe struct MapCountView(FrameState* states)
{
    public ref ushort this[ulong frame]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref states[frame].MapCount;
    }
}
