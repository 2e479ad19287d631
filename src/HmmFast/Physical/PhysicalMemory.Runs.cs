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
        while (count > 0)
        {
            int run = (int)Math.Min(count, RunPages);
            var maps = new Span<ushort>(Frames.MapCount + first, run);
            if (HasHugePart(first, run) || maps.Contains(ushort.MaxValue))
            {
                for (int i = 0; i < run; i++)
                {
                    AddMapping(first + (uint)i);
                }
            }
            else
            {
                _kernels.Add(maps, 1);
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
            if (run == 0)
            {
                DropMapping(first);
                run = 1;
            }
            else if (Frames.MapCount[first] == 1)
            {
                GiveRun(first, (ulong)run);
            }
            else
            {
                _kernels.Add(new Span<ushort>(Frames.MapCount + first, run), ushort.MaxValue);
            }

            first += (uint)run;
            count -= (ulong)run;
        }
    }

    /// <summary>Frames from one on that are ordinary private system pages (dirty or not) mapped equally often; 0 when the first is none.</summary>
    public int PlainRun(uint first, int count)
    {
        FrameFlags flags = Frames.Flags[first];
        if (first >= System.End || (flags & ~FrameFlags.Dirty) != FrameFlags.AnonymousPage)
        {
            return 0;
        }

        int same = new ReadOnlySpan<ushort>(Frames.Flags + first, count).IndexOfAnyExcept((ushort)flags);
        count = same < 0 ? count : same;
        int maps = new ReadOnlySpan<ushort>(Frames.MapCount + first, count).IndexOfAnyExcept(Frames.MapCount[first]);
        return maps < 0 ? count : maps;
    }

    /// <summary>Device frames from one on, of one pagemap, that plain private entries hold once each and nothing else does; 0 when the first is none.</summary>
    public int PlainDeviceRun(uint first, int count)
    {
        FrameFlags flags = Frames.Flags[first];
        if ((flags & ~(FrameFlags.Dirty | FrameFlags.SwapBacked)) != (FrameFlags.InUse | FrameFlags.Anonymous) || Frames.MapCount[first] != 1)
        {
            return 0;
        }

        int same = new ReadOnlySpan<ushort>(Frames.Flags + first, count).IndexOfAnyExcept((ushort)flags);
        count = same < 0 ? count : same;
        int maps = new ReadOnlySpan<ushort>(Frames.MapCount + first, count).IndexOfAnyExcept((ushort)1);
        return maps < 0 ? count : maps;
    }

    /// <summary>
    /// Moves the identity of a run of pages that <see cref="PlainRun"/> or <see cref="PlainDeviceRun"/> found, as <see cref="MoveIdentity"/> does for each.
    /// </summary>
    public void MoveIdentities(uint from, uint to, int count)
    {
        FrameFlags kept = Frames.Flags[from] & ~(FrameFlags.Pinned | FrameFlags.Orphan | FrameFlags.SwapCache | FrameFlags.HugePart);
        new Span<ushort>(Frames.Flags + to, count).Fill((ushort)kept);
        new Span<ushort>(Frames.MapCount + from, count).CopyTo(new Span<ushort>(Frames.MapCount + to, count));
        new Span<RmapEntry>(Frames.ReverseMap + from, count).CopyTo(new Span<RmapEntry>(Frames.ReverseMap + to, count));
        new Span<ushort>(Frames.MapCount + from, count).Clear();
    }

    /// <summary>Frames from one on that were taken and are not used yet (as a migration's destinations are), with equal flags; 0 when the first is none.</summary>
    public int FreshRun(uint first, int count)
    {
        if (Frames.Flags[first] != FrameFlags.InUse || Frames.MapCount[first] != 0)
        {
            return 0;
        }

        int same = new ReadOnlySpan<ushort>(Frames.Flags + first, count).IndexOfAnyExcept((ushort)FrameFlags.InUse);
        return same < 0 ? count : same;
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
        new Span<ushort>(Frames.Flags + first, count).Clear();
        pagemap.Frames.Give(first, (ulong)count);
        if (pagemap.Ops is { } ops)
        {
            for (uint i = 0; i < count; i++)
            {
                ops.PageFreed(new Pfn(first + i));
            }
        }
    }

    /// <summary>As <see cref="Unused"/> for each frame of a run that nothing maps; a run with equal flags that nothing caches or pins goes at once.</summary>
    public void UnusedRun(uint first, int count)
    {
        const FrameFlags Kept = FrameFlags.PageCache | FrameFlags.SwapCache | FrameFlags.Held | FrameFlags.Pinned;
        while (count > 0)
        {
            FrameFlags flags = Frames.Flags[first];
            int same = new ReadOnlySpan<ushort>(Frames.Flags + first, count).IndexOfAnyExcept((ushort)flags);
            int run = same < 0 ? count : same;
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
        foreach (MigratePfn page in pages)
        {
            Frames.Flags[page.Pfn.Value] = FrameFlags.None;
        }

        range.GiveMany(pages);
    }

    /// <summary>Gives each frame of a run the columns of the first, at consecutive indices.</summary>
    public void FillLikeFirst(uint first, int count)
    {
        new Span<ushort>(Frames.Flags + first, count).Fill((ushort)Frames.Flags[first]);
        new Span<ushort>(Frames.MapCount + first, count).Fill(Frames.MapCount[first]);
        _kernels.FillWords(new Span<ulong>(Frames.ReverseMap + first, count), Frames.ReverseMap[first].Word, 1);
    }

    /// <summary>Sets a flag on each frame of a run.</summary>
    public void MarkRun(uint first, int count, FrameFlags set)
    {
        for (int i = 0; i < count; i++)
        {
            Frames.Flags[first + (uint)i] |= set;
        }
    }

    /// <summary>Takes the lowest free system frames, adjacent or not, as private pages mapped once; the caller sets each one's index. Answers how many there were.</summary>
    public int TakeAnonymous(Span<uint> into, uint anon)
    {
        int taken = System.TakeMany(into);
        for (int i = 0; i < taken; i++)
        {
            uint frame = into[i];
            Frames.Flags[frame] = FrameFlags.AnonymousPage;
            Frames.MapCount[frame] = 1;
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

        int run = (int)count;
        new Span<ushort>(Frames.Flags + first, run).Fill((ushort)FrameFlags.InUse);
        new Span<ushort>(Frames.MapCount + first, run).Clear();
        return true;
    }

    /// <summary>Takes the lowest free frames of a memory, in use and empty, for migrations' destinations. Answers how many there were.</summary>
    public int TakeFresh(FrameRange range, Span<Pfn> into)
    {
        int taken = 0;
        while (taken < into.Length && range.TryTakeRun((ulong)(into.Length - taken), out uint first, out ulong count))
        {
            int run = (int)count;
            new Span<ushort>(Frames.Flags + first, run).Fill((ushort)FrameFlags.InUse);
            new Span<ushort>(Frames.MapCount + first, run).Clear();
            if (Frames.Content != null)
            {
                new Span<ulong>(Frames.Content + first, run).Clear();
            }

            _kernels.FillWords(MemoryMarshal.Cast<Pfn, ulong>(into.Slice(taken, run)), first, 1);
            taken += run;
        }

        return taken;
    }

    private bool HasHugePart(uint first, int count)
    {
        var flags = new ReadOnlySpan<ushort>(Frames.Flags + first, count);
        return flags.IndexOfAnyExcept((ushort)FrameFlags.AnonymousPage, (ushort)(FrameFlags.AnonymousPage | FrameFlags.Dirty)) >= 0;
    }
}
