using System.Runtime.CompilerServices;
using HmmFast.Kernels;
using HmmFast.Physical;

namespace HmmFast.AddressSpaces;

/// <content>Migration of pages whose frames are in no order: one short loop a step for plain pages mapped once, so that the memory's answers overlap.</content>
internal sealed unsafe partial class AddressSpace
{
    // Frames whose columns are asked for before their turn: each costs a few lines from anywhere, more than the processor looks ahead for by itself.
    private const int FramesAhead = 24;

    // The frame number in a migration's entry: what is below its three flags.
    private const ulong Numbers = (1UL << 61) - 1;

    private const FrameFlags PlainAnonymous = FrameFlags.InUse | FrameFlags.Anonymous;
    private const FrameFlags PlainMayHave = FrameFlags.SwapBacked | FrameFlags.Dirty;

    /// <summary>
    /// As <see cref="HoldRun"/> for pages of one class whose frames need not count up: those of the first one's memory (system memory or one pagemap). Writes their
    /// source entries. Answers how many; 0 leaves the first to the single-page path.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal int HoldScattered(ulong vpn, Span<MigratePfn> sources)
    {
        PageClass old = _classes[_class[vpn]];
        BoundsOf(_pfn[vpn], out uint low, out uint length);
        FrameFlags* flags = _frames.Flags;
        ushort* maps = _frames.MapCount;
        uint* pfns = _pfn + vpn;
        FrameFlags set = old.IsDirty ? FrameFlags.Dirty : FrameFlags.None;
        ulong word = MigratePfn.Of(new Pfn(0), migrating: true, old.IsWritable).Raw;
        int done = 0;
        while (done < sources.Length)
        {
            uint frame = pfns[done];
            if (frame - low >= length || (flags[frame] & ~PlainMayHave) != PlainAnonymous || maps[frame] != 1)
            {
                break;
            }

            if (set != FrameFlags.None)
            {
                flags[frame] |= set;
            }

            sources[done++] = new MigratePfn(word | frame);
        }

        if (done > 0)
        {
            FillEntries(vpn, (ulong)done, _classes.Intern(new PageClass(PageEntryKind.Migration, old.Bits)));
        }

        return done;
    }

    /// <summary>
    /// How many entries from one on are in order before they move: held for their sources, with destinations that are in use and nothing else, all of the first
    /// one's memory. 0 leaves the first to the single-page check.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal int CheckScattered(ulong vpn, ReadOnlySpan<MigratePfn> sources, ReadOnlySpan<MigratePfn> destinations)
    {
        BoundsOf(destinations[0].Pfn.Value, out uint toLow, out uint toLength);
        byte held = _class[vpn];
        if (_block[vpn / BlockPages].Kind != BlockKind.Table || _classes[held].Kind != PageEntryKind.Migration)
        {
            return 0;
        }

        FrameFlags* flags = _frames.Flags;
        ushort* maps = _frames.MapCount;
        int end = (int)Math.Min((ulong)sources.Length, BlockPages - (vpn % BlockPages));
        int done = 0;
        for (; done < end; done++)
        {
            MigratePfn source = sources[done];
            ulong to = destinations[done].Raw & Numbers;
            ulong at = vpn + (ulong)done;
            if (!source.IsValid || !source.IsMigrating || !destinations[done].IsValid || to - toLow >= toLength
                || _class[at] != held || _pfn[at] != (source.Raw & Numbers) || flags[to] != FrameFlags.InUse || maps[to] != 0)
            {
                break;
            }
        }

        return done;
    }

    /// <summary>
    /// As <see cref="MoveHeldRun"/> for frames in no order, while both come from the memory that the first ones come from. Answers how many; 0 leaves the first to
    /// the single-page path.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal int MoveHeldScattered(ulong vpn, ReadOnlySpan<MigratePfn> sources, ReadOnlySpan<MigratePfn> destinations)
    {
        BoundsOf((uint)sources[0].Pfn.Value, out uint fromLow, out uint fromLength);
        BoundsOf((uint)destinations[0].Pfn.Value, out uint toLow, out uint toLength);
        FrameFlags* flags = _frames.Flags;
        ushort* maps = _frames.MapCount;
        RmapEntry* places = _frames.ReverseMap;
        int done = 0;
        for (; done < sources.Length; done++)
        {
            if (done + FramesAhead < sources.Length)
            {
                Fetch(flags, maps, places, (uint)(sources[done + FramesAhead].Raw & Numbers));
                Fetch(flags, maps, places, (uint)(destinations[done + FramesAhead].Raw & Numbers));
            }

            MigratePfn source = sources[done];
            MigratePfn destination = destinations[done];
            if (!source.IsValid || !source.IsMigrating || !destination.IsValid)
            {
                break;
            }

            uint from = (uint)(source.Raw & Numbers);
            uint to = (uint)(destination.Raw & Numbers);
            if (from - fromLow >= fromLength || to - toLow >= toLength)
            {
                break;
            }

            FrameFlags kept = flags[from];
            if ((kept & ~PlainMayHave) != PlainAnonymous || maps[from] != 1 || flags[to] != FrameFlags.InUse || maps[to] != 0)
            {
                break;
            }

            flags[to] = kept;
            maps[to] = 1;
            places[to] = places[from];
            maps[from] = 0;
            _pfn[vpn + (ulong)done] = to;
        }

        return done;
    }

    /// <summary>
    /// Ends the hold of pages that moved, as <see cref="RestoreHeld"/> does for each, and gives the frames they left back. While entries have the first one's class
    /// and frames are of the first ones' memory. Answers how many; 0 leaves the first to the single-page path.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal int RestoreScattered(ulong vpn, ReadOnlySpan<MigratePfn> sources, ReadOnlySpan<MigratePfn> destinations)
    {
        const FrameFlags Kept = FrameFlags.PageCache | FrameFlags.SwapCache | FrameFlags.Held | FrameFlags.Pinned;
        uint first = (uint)(sources[0].Raw & Numbers);
        BoundsOf(first, out uint fromLow, out uint fromLength);
        BoundsOf((uint)(destinations[0].Raw & Numbers), out uint toLow, out uint toLength);
        byte held = _class[vpn];
        if (_classes[held].Kind != PageEntryKind.Migration || _physical.PagemapOf(first) is { Ops: not null })
        {
            return 0;
        }

        FrameFlags* flags = _frames.Flags;
        ushort* maps = _frames.MapCount;
        int done = 0;
        for (; done < sources.Length; done++)
        {
            MigratePfn source = sources[done];
            MigratePfn destination = destinations[done];
            if (!source.IsValid || !source.IsMigrating || !destination.IsValid)
            {
                break;
            }

            uint from = (uint)(source.Raw & Numbers);
            uint to = (uint)(destination.Raw & Numbers);
            ulong at = vpn + (ulong)done;
            if (from - fromLow >= fromLength || to - toLow >= toLength || _class[at] != held || _pfn[at] != to
                || maps[to] != 1 || maps[from] != 0 || (flags[from] & Kept) != 0)
            {
                break;
            }
        }

        if (done == 0)
        {
            return 0;
        }

        // The first page shows what all of them become.
        RestoreHeld(vpn, (uint)(destinations[0].Raw & Numbers));
        FillEntries(vpn, (ulong)done, _class[vpn]);
        _physical.GiveScattered(sources[..done]);
        return done;
    }

    /// <summary>Asks for all of a frame's columns. Reads nothing: any number will do.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fetch(FrameFlags* flags, ushort* maps, RmapEntry* places, uint frame)
    {
        Streaming.Fetch(flags + frame);
        Streaming.Fetch(maps + frame);
        Streaming.Fetch(places + frame);
    }

    /// <summary>The memory that a frame is of: system memory, or its pagemap. No frames for one that is of neither.</summary>
    private void BoundsOf(ulong frame, out uint low, out uint length)
    {
        FrameRange? range = frame < _physical.System.End ? _physical.System : _physical.PagemapOf(frame)?.Frames;
        low = (uint)(range?.First ?? 0);
        length = (uint)(range?.Count ?? 0);
    }
}
