using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace HmmFast.Physical;

/// <content>What is done to runs of frames at column speed, and which runs that is possible for.</content>
internal sealed unsafe partial class PhysicalMemory
{
    // Frames looked at in one go: what several passes over the columns can share in the first-level cache.
    private const ulong RunPages = 4096;

    /// <summary>One mapping more of each frame of a run.</summary>
    public void AddMappings(uint first, ulong count)
    {
        MappingsAdded++;
        while (count > 0)
        {
            FrameState state = Frames.State[first];
            int run = 1;
            if ((state.Flags & ~FrameFlags.Dirty) == FrameFlags.AnonymousPage && state.MapCount < ushort.MaxValue)
            {
                run = EqualRun(first, (int)Math.Min(count, RunPages));
                Frames.States(first, run).Fill(FrameState.Word(state.Flags, state.MapCount) + FrameState.OneMapping);
            }
            else
            {
                AddMapping(first);
            }

            first += (uint)run;
            count -= (ulong)run;
        }
    }

    /// <summary>One mapping fewer of each frame of a run. Runs of plain private pages with one mapcount go at column speed.</summary>
    public void DropMappings(uint first, ulong count)
    {
        while (count > 0)
        {
            int run = PlainRun(first, (int)Math.Min(count, RunPages));
            FrameState state = Frames.State[first];
            if (run == 0)
            {
                DropMapping(first);
                run = 1;
            }
            else if (state.MapCount == 1)
            {
                GiveRun(first, (ulong)run);
            }
            else
            {
                Frames.States(first, run).Fill(FrameState.Word(state.Flags, state.MapCount) - FrameState.OneMapping);
            }

            first += (uint)run;
            count -= (ulong)run;
        }
    }

    /// <summary>Frames from one on that are ordinary private system pages (dirty or not) mapped equally often; 0 when the first is none.</summary>
    public int PlainRun(uint first, int count) =>
        first < System.End && (Frames.Flags[first] & ~FrameFlags.Dirty) == FrameFlags.AnonymousPage ? EqualRun(first, count) : 0;

    /// <summary>Device frames from one on, of one pagemap, that plain private entries hold once each and nothing else does; 0 when the first is none.</summary>
    public int PlainDeviceRun(uint first, int count)
    {
        FrameState state = Frames.State[first];
        bool isPlain = (state.Flags & ~(FrameFlags.Dirty | FrameFlags.SwapBacked)) == (FrameFlags.InUse | FrameFlags.Anonymous) && state.MapCount == 1;
        return isPlain ? EqualRun(first, count) : 0;
    }

    /// <summary>
    /// Moves the identity of a run of pages that <see cref="MovableRun"/> found, as <see cref="MoveIdentity"/> does for each: their states are equal.
    /// </summary>
    /// <param name="from">The first frame that is left.</param>
    /// <param name="to">The first frame taken.</param>
    /// <param name="count">How many.</param>
    /// <param name="place">The first one's reverse map entry where the run's are known to count up from it: writing them costs less than copying. Else null.</param>
    public void MoveIdentities(uint from, uint to, int count, RmapEntry? place)
    {
        FrameFlags flags = Frames.Flags[from];
        FrameFlags kept = flags & ~(FrameFlags.Pinned | FrameFlags.Orphan | FrameFlags.SwapCache | FrameFlags.HugePart);
        Frames.States(to, count).Fill(FrameState.Word(kept, Frames.MapCount[from]));
        if (place is { } first)
        {
            _kernels.FillWords(new Span<ulong>(Frames.ReverseMap + to, count), first.Word, 1);
        }
        else
        {
            new Span<RmapEntry>(Frames.ReverseMap + from, count).CopyTo(new Span<RmapEntry>(Frames.ReverseMap + to, count));
        }

        Frames.States(from, count).Fill(FrameState.Word(flags, 0));
    }

    /// <summary>Frames from one on that were taken and are not used yet (as a migration's destinations are), with equal flags; 0 when the first is none.</summary>
    public int FreshRun(uint first, int count)
    {
        FrameState state = Frames.State[first];
        return state is { Flags: FrameFlags.InUse, MapCount: 0 } ? EqualRun(first, count) : 0;
    }

    /// <summary>Frames from one on that may be moved as a run: plain, mapped once, in system memory or in one pagemap.</summary>
    public int MovableRun(uint first, int count)
    {
        if (first < System.End)
        {
            return Frames.MapCount[first] == 1 ? PlainRun(first, count) : 0;
        }

        ulong room = PagemapOf(first)!.Frames.End - first;
        return PlainDeviceRun(first, (int)Math.Min((ulong)count, room));
    }

    /// <summary>Gives back frames of a run that nothing holds any more; drivers are told page by page.</summary>
    public void GiveMoved(uint first, int count)
    {
        if (first < System.End)
        {
            GiveRun(first, (ulong)count);
            return;
        }

        Pagemap pagemap = PagemapOf(first)!;
        Frames.States(first, count).Clear();
        pagemap.Frames.Give(first, (ulong)count);
        if (pagemap.Ops is { } ops)
        {
            for (uint i = 0; i < count; i++)
            {
                ops.PageFreed(new Pfn(first + i));
            }
        }
    }

    /// <summary>As <see cref="Unused"/> for each frame of a run that nothing maps; a run with equal states that nothing caches or pins goes at once.</summary>
    public void UnusedRun(uint first, int count)
    {
        const FrameFlags Kept = FrameFlags.PageCache | FrameFlags.SwapCache | FrameFlags.Held | FrameFlags.Pinned;
        while (count > 0)
        {
            FrameFlags flags = Frames.Flags[first];
            int run = EqualRun(first, count);
            if ((flags & Kept) != 0)
            {
                run = 1;
                Unused(first);
            }
            else
            {
                GiveMoved(first, run);
            }

            first += (uint)run;
            count -= run;
        }
    }

    /// <summary>Gives back frames that nothing holds any more, all of the first one's memory, whose driver need not be told.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void GiveScattered(ReadOnlySpan<MigratePfn> pages)
    {
        ulong first = pages[0].Pfn.Value;
        FrameRange range = PagemapOf(first)?.Frames ?? System;
        ulong lowest = first;
        foreach (MigratePfn page in pages)
        {
            ulong frame = page.Pfn.Value;
            Frames.State[frame] = default;
            Frames.Taken[frame / BlockPages]--;
            lowest = Math.Min(lowest, frame);
        }

        range.GiveCounted(lowest, (ulong)pages.Length);
    }

    /// <summary>Gives each frame of a run the columns of the first, at consecutive indices.</summary>
    public void FillLikeFirst(uint first, int count)
    {
        Span<uint> states = Frames.States(first, count);
        states.Fill(states[0]);
        _kernels.FillWords(new Span<ulong>(Frames.ReverseMap + first, count), Frames.ReverseMap[first].Word, 1);
    }

    /// <summary>Sets a flag on each frame of a run whose states are equal.</summary>
    public void MarkRun(uint first, int count, FrameFlags set)
    {
        Span<uint> states = Frames.States(first, count);
        if ((states[0] & (uint)set) != (uint)set)
        {
            states.Fill(states[0] | (uint)set);
        }
    }

    /// <summary>Takes the lowest free system frames, adjacent or not, as private pages mapped once; the caller sets each one's index. Answers how many there were.</summary>
    public int TakeAnonymous(Span<uint> into, uint anon)
    {
        int taken = System.TakeMany(into);
        for (int i = 0; i < taken; i++)
        {
            uint frame = into[i];
            Frames.State[frame] = new FrameState { Flags = FrameFlags.AnonymousPage, MapCount = 1 };
            Frames.ReverseMap[frame].Object = anon;
        }

        if (Frames.Content != null)
        {
            for (int i = 0; i < taken; i++)
            {
                Frames.Content[into[i]] = 0;
            }
        }

        return taken;
    }

    /// <summary>Takes the lowest free system frames as one run, in use and empty.</summary>
    public bool TryTakeSystemRun(ulong most, out uint first, out ulong count)
    {
        if (!System.TryTakeRun(Math.Min(most, RunPages), out first, out count))
        {
            return false;
        }

        Frames.States(first, (int)count).Fill(FrameState.Word(FrameFlags.InUse, 0));
        return true;
    }

    /// <summary>Takes the lowest free frames of a memory, in use and empty, for migrations' destinations. Answers how many there were.</summary>
    public int TakeFresh(FrameRange range, Span<Pfn> into)
    {
        int taken = 0;
        while (taken < into.Length && range.TryTakeRun((ulong)(into.Length - taken), out uint first, out ulong count))
        {
            int run = (int)count;
            Frames.States(first, run).Fill(FrameState.Word(FrameFlags.InUse, 0));
            if (Frames.Content != null)
            {
                new Span<ulong>(Frames.Content + first, run).Clear();
            }

            _kernels.FillWords(MemoryMarshal.Cast<Pfn, ulong>(into.Slice(taken, run)), first, 1);
            taken += run;
        }

        return taken;
    }

    /// <summary>Frames from one on, of those asked for, whose states are equal.</summary>
    private int EqualRun(uint first, int count)
    {
        FrameState state = Frames.State[first];
        int same = Frames.States(first, count).IndexOfAnyExcept(FrameState.Word(state.Flags, state.MapCount));
        return same < 0 ? count : same;
    }
}
