using System.Runtime.CompilerServices;
using HmmFast.Kernels;
using HmmFast.Physical;

namespace HmmFast.AddressSpaces;

/// <content>Migration of pages whose frames are in no order: one short loop a step for plain pages mapped once, so that the memory's answers overlap.</content>
internal sealed unsafe partial class AddressSpace
{
    // Frames whose columns are asked for before their turn: each costs a few lines from anywhere, more than the processor looks ahead for by itself.
    private const int FramesAhead = 64;

    // The frame number in a migration's entry: what is below its three flags.
    private const ulong Numbers = (1UL << 61) - 1;

    // States of frames (FrameState.Word): private pages mapped once, beside what they may have, and frames just taken.
    private const uint PlainAnonymous = (uint)(FrameFlags.InUse | FrameFlags.Anonymous) | FrameState.OneMapping;
    private const uint PlainMayHave = (uint)(FrameFlags.SwapBacked | FrameFlags.Dirty);
    private const uint Fresh = (uint)FrameFlags.InUse;

    /// <summary>
    /// As <see cref="HoldRun"/> for pages of one class whose frames need not count up: those of the first one's memory (system memory or one pagemap). Writes their
    /// source entries. Answers how many; 0 leaves the first to the single-page path.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal int HoldScattered(ulong vpn, Span<MigratePfn> sources)
    {
        PageClass old = _classes[_class[vpn]];
        BoundsOf(_pfn[vpn], out uint low, out uint length);
        uint* states = (uint*)_frames.State;
        uint* pfns = _pfn + vpn;
        uint set = old.IsDirty ? (uint)FrameFlags.Dirty : 0;
        ulong word = MigratePfn.Of(new Pfn(0), migrating: true, old.IsWritable).Raw;
        int done = 0;
        while (done < sources.Length)
        {
            if (done + FramesAhead < sources.Length)
            {
                Streaming.FetchFar(states + pfns[done + FramesAhead]);
            }

            uint frame = pfns[done];
            if (frame - low >= length || (states[frame] & ~PlainMayHave) != PlainAnonymous)
            {
                break;
            }

            if (set != 0)
            {
                states[frame] |= set;
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
        BoundsOf(destinations[0].Raw & Numbers, out uint toLow, out uint toLength);
        byte held = _class[vpn];
        if (_block[vpn / BlockPages].Kind != BlockKind.Table || _classes[held].Kind != PageEntryKind.Migration)
        {
            return 0;
        }

        uint* states = (uint*)_frames.State;
        int end = (int)Math.Min((ulong)sources.Length, BlockPages - (vpn % BlockPages));
        int done = 0;
        for (; done < end; done++)
        {
            if (done + FramesAhead < end)
            {
                Streaming.FetchFar(states + (uint)(destinations[done + FramesAhead].Raw & Numbers));
            }

            MigratePfn source = sources[done];
            ulong to = destinations[done].Raw & Numbers;
            ulong at = vpn + (ulong)done;
            if (!source.IsValid || !source.IsMigrating || !destinations[done].IsValid || to - toLow >= toLength
                || _class[at] != held || _pfn[at] != (source.Raw & Numbers) || states[to] != Fresh)
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
    internal int MoveHeldScattered(Vma? vma, ulong vpn, ReadOnlySpan<MigratePfn> sources, ReadOnlySpan<MigratePfn> destinations)
    {
        byte held = _class[vpn];
        if (_classes[held].Kind != PageEntryKind.Migration)
        {
            return 0;
        }

        BoundsOf(sources[0].Raw & Numbers, out uint fromLow, out uint fromLength);
        BoundsOf(destinations[0].Raw & Numbers, out uint toLow, out uint toLength);
        uint* states = (uint*)_frames.State;
        RmapEntry* places = _frames.ReverseMap;
        RmapEntry? place = PlaceOf(vma, vpn, sources.Length);
        RmapEntry first = place.GetValueOrDefault();
        bool isKnown = place is not null;
        byte* classes = _class + vpn;
        uint* pfns = _pfn + vpn;
        int done = 0;
        for (; done < sources.Length; done++)
        {
            if (done + FramesAhead < sources.Length)
            {
                Fetch(states, places, (uint)(sources[done + FramesAhead].Raw & Numbers), !isKnown);
                Fetch(states, places, (uint)(destinations[done + FramesAhead].Raw & Numbers), true);
            }

            MigratePfn source = sources[done];
            MigratePfn destination = destinations[done];
            if (!source.IsValid || !source.IsMigrating || !destination.IsValid)
            {
                break;
            }

            // Blocks without a table have no held entries.
            ulong from = source.Raw & Numbers;
            ulong to = destination.Raw & Numbers;
            if (from - fromLow >= fromLength || to - toLow >= toLength || classes[done] != held || pfns[done] != from)
            {
                break;
            }

            uint state = states[from];
            if ((state & ~PlainMayHave) != PlainAnonymous || states[to] != Fresh)
            {
                break;
            }

            states[to] = state;
            places[to] = isKnown ? new RmapEntry(first.Object, first.Index + (uint)done) : places[from];
            states[from] = state - FrameState.OneMapping;
            pfns[done] = (uint)to;
        }

        return done;
    }

    /// <summary>
    /// Ends the hold of pages that moved, as <see cref="RestoreHeld"/> does for each, and gives the frames they left back. While entries have the first one's class
    /// and frames are of the first ones' memory. Answers how many; 0 leaves the first to the single-page path.
    /// </summary>
    /// <param name="vpn">The first page.</param>
    /// <param name="sources">Its source entry and those behind it.</param>
    /// <param name="destinations">The same of destinations.</param>
    /// <param name="areAlone">Whether the pages are known to be mapped here alone; else each is looked at.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal int RestoreScattered(ulong vpn, ReadOnlySpan<MigratePfn> sources, ReadOnlySpan<MigratePfn> destinations, bool areAlone)
    {
        // In use, mapped by nothing, and not kept by anything else.
        const uint Left = (uint)FrameFlags.InUse;
        const uint LeftMask = ~0U << 16 | (uint)(FrameFlags.InUse | FrameFlags.PageCache | FrameFlags.SwapCache | FrameFlags.Held | FrameFlags.Pinned);
        uint first = (uint)(sources[0].Raw & Numbers);
        FrameRange? range = RangeOf(first);
        BoundsOf(first, out uint fromLow, out uint fromLength);
        BoundsOf(destinations[0].Raw & Numbers, out uint toLow, out uint toLength);
        byte held = _class[vpn];
        if (range is null || _classes[held].Kind != PageEntryKind.Migration || _physical.PagemapOf(first) is { Ops: not null })
        {
            return 0;
        }

        uint* states = (uint*)_frames.State;
        ushort* taken = _frames.Taken;
        byte* classes = _class + vpn;
        uint* pfns = _pfn + vpn;
        ulong lowest = first;
        int done = 0;
        for (; done < sources.Length; done++)
        {
            if (done + FramesAhead < sources.Length)
            {
                Streaming.FetchFar(states + (uint)(sources[done + FramesAhead].Raw & Numbers));
                if (!areAlone)
                {
                    Streaming.FetchFar(states + (uint)(destinations[done + FramesAhead].Raw & Numbers));
                }
            }

            MigratePfn source = sources[done];
            MigratePfn destination = destinations[done];
            if (!source.IsValid || !source.IsMigrating || !destination.IsValid)
            {
                break;
            }

            ulong from = source.Raw & Numbers;
            ulong to = destination.Raw & Numbers;
            if (from - fromLow >= fromLength || to - toLow >= toLength || classes[done] != held || pfns[done] != to
                || (!areAlone && states[to] >> 16 != 1) || (states[from] & LeftMask) != Left)
            {
                break;
            }

            states[from] = 0;
            taken[from / BlockPages]--;
            lowest = Math.Min(lowest, from);
        }

        if (done == 0)
        {
            return 0;
        }

        range.GiveCounted(lowest, (ulong)done);

        // The first page shows what all of them become.
        RestoreHeld(vpn, (uint)(destinations[0].Raw & Numbers));
        FillEntries(vpn, (ulong)done, _class[vpn]);
        return done;
    }

    /// <summary>Asks for a frame's state, and for its reverse map if that is needed. Reads nothing: any number will do.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fetch(uint* states, RmapEntry* places, uint frame, bool withPlace)
    {
        Streaming.FetchFar(states + frame);
        if (withPlace)
        {
            Streaming.FetchFar(places + frame);
        }
    }

    /// <summary>The memory that a frame is of: system memory, or its pagemap.</summary>
    private FrameRange? RangeOf(ulong frame) => frame < _physical.System.End ? _physical.System : _physical.PagemapOf(frame)?.Frames;

    /// <summary>The bounds of the memory that a frame is of. No frames for one that is of none.</summary>
    private void BoundsOf(ulong frame, out uint low, out uint length)
    {
        FrameRange? range = RangeOf(frame);
        low = (uint)(range?.First ?? 0);
        length = (uint)(range?.Count ?? 0);
    }
}
