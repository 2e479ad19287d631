using System.Numerics;
using System.Runtime.CompilerServices;
using HmmFast.Kernels;
using HmmFast.Physical;

namespace HmmFast.AddressSpaces;

/// <content>Faults over pages that differ from one to the next: one loop over a block's entries, with frames taken in runs.</content>
internal sealed unsafe partial class AddressSpace
{
    // A run of one class this long goes through the paths for runs.
    private const int UniformRun = 32;

    /// <summary>
    /// Faults pages of private anonymous memory in one block's table, up to the first that needs more than a loop can do. Same effects, in the same order, as
    /// one fault a page.
    /// </summary>
    /// <param name="vma">The VMA.</param>
    /// <param name="from">First page.</param>
    /// <param name="to">The page after the last, in the same block.</param>
    /// <param name="write">The access.</param>
    /// <param name="isTaken">True where every page takes a fault; false for the CPU, which faults only where it must.</param>
    /// <param name="outcome">Done, or why the page behind the last one handled failed.</param>
    /// <returns>Pages handled; 0 with Done leaves the first to other paths.</returns>
    private ulong FaultMixed(Vma vma, ulong from, ulong to, bool write, bool isTaken, out FaultOutcome outcome)
    {
        outcome = FaultOutcome.Done;
        if (RunOf(from, Math.Min(to, from + UniformRun)) == UniformRun)
        {
            return 0;
        }

        int count = (int)(to - from);
        ByteTable actions = _core.ActionsFor(write, isTaken);
        Span<ulong> marks = stackalloc ulong[(int)BlockPages / 64];
        marks = marks[..((count + 63) / 64)];
        if (_core.Kernels.MarkMembers(new ReadOnlySpan<byte>(_class + from, count), actions, (byte)FaultAction.Any, marks) == 0)
        {
            _core.Counters.Faults += isTaken ? (ulong)count : 0;
            return (ulong)count;
        }

        int length = MixedLength(marks, actions, from, count, write, out int frames, out int told);
        var range = new VpnRange(new Vpn(from), (ulong)length);
        if (length == 0 || (told > 0 && !Notifiers.IsInsideOrOutside(range)))
        {
            return 0;
        }

        if (frames > 0 && write)
        {
            _vmas.PrepareAnon(vma);
        }

        return FaultMixedRun(vma, range, frames, write, isTaken, actions, marks, out outcome);
    }

    /// <summary>Pages up to the first that cannot go in the loop, the frames they need and the invalidations they send.</summary>
    private int MixedLength(ReadOnlySpan<ulong> marks, ByteTable actions, ulong from, int count, bool write, out int frames, out int told)
    {
        frames = 0;
        told = 0;
        bool isWatched = Notifiers.HasHandler(new VpnRange(new Vpn(from), (ulong)count));
        for (int word = 0; word < marks.Length; word++)
        {
            for (ulong bits = marks[word]; bits != 0; bits &= bits - 1)
            {
                int page = (word * 64) + BitOperations.TrailingZeroCount(bits);
                var action = (FaultAction)actions[_class[from + (ulong)page]];
                bool isTold = (action & FaultAction.Told) != 0;
                if (action == FaultAction.Other || (isTold && (isWatched || !MayGoAlong(from + (ulong)page, action))))
                {
                    return page;
                }

                told += isTold ? 1 : 0;
                frames += isTold || (write && action == FaultAction.Fill) ? 1 : 0;
            }
        }

        return count;
    }

    /// <summary>A device page can be brought back in the loop when it is mapped here alone, nothing else holds it, and its driver need not be told.</summary>
    private bool MayGoAlong(ulong vpn, FaultAction action)
    {
        if (action != FaultAction.BringBack)
        {
            return true;
        }

        uint frame = _pfn[vpn];
        return _frames.MapCount[frame] == 1
            && (_frames.Flags[frame] & (FrameFlags.Pinned | FrameFlags.SwapCache)) == 0
            && _physical.PagemapOf(frame)!.Ops is null;
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private ulong FaultMixedRun(
        Vma vma, VpnRange range, int frames, bool write, bool isTaken, ByteTable actions, ReadOnlySpan<ulong> marks, out FaultOutcome outcome)
    {
        ulong from = range.Start.Value;
        byte written = _classes.Present(Written);
        byte zero = _classes.Present(EntryBits.Zero);
        uint index = IndexOf(vma, from);
        Span<uint> taken = stackalloc uint[(int)BlockPages];
        int takenCount = _physical.TakeAnonymous(taken[..frames], vma.Anon?.Number ?? 0);
        int next = 0;
        int end = (int)range.PageCount;
        ulong filled = 0;
        ulong copies = 0;
        ulong back = 0;
        FaultAction failed = FaultAction.Nothing;
        for (int word = 0; word < marks.Length && failed == FaultAction.Nothing; word++)
        {
            for (ulong bits = marks[word]; bits != 0; bits &= bits - 1)
            {
                int page = (word * 64) + BitOperations.TrailingZeroCount(bits);
                if (page >= end)
                {
                    break;
                }

                ulong vpn = from + (ulong)page;
                byte id = _class[vpn];
                var action = (FaultAction)actions[id];
                if (action == FaultAction.Touch)
                {
                    _class[vpn] = _classes.Change(id, EntryBits.Dirty, EntryBits.None);
                    continue;
                }

                if (action == FaultAction.Fill && !write)
                {
                    _class[vpn] = zero;
                    _pfn[vpn] = 0;
                    filled++;
                    continue;
                }

                if (next == takenCount)
                {
                    failed = action;
                    end = page;
                    break;
                }

                uint frame = taken[next++];
                if (action == FaultAction.BringBack)
                {
                    // The CPU's write goes on once the page is back, and sets the entry's dirty bit; a fault for a device ends there.
                    BringBackOne(vpn, id, frame, write && !isTaken ? EntryBits.Dirty : EntryBits.None);
                    back++;
                    continue;
                }

                _frames.ReverseMap[frame].Index = index + (uint)page;
                _class[vpn] = written;
                _pfn[vpn] = frame;
                copies += action == FaultAction.CopyZero ? 1UL : 0;
                filled += action == FaultAction.Fill ? 1UL : 0;
            }
        }

        outcome = failed == FaultAction.Nothing ? FaultOutcome.Done : FaultOutcome.OutOfMemory;

        // The page that found no frame is a fault too; a device page was told of before the frame was looked for, a copy would have been after.
        ulong told = copies + back + (failed == FaultAction.BringBack ? 1UL : 0);
        _core.Counters.Faults += (isTaken ? (ulong)end : filled + copies + back) + (failed == FaultAction.Nothing ? 0 : 1UL);
        _core.Counters.ZeroPageFaults += write ? 0 : filled;
        _core.Counters.PagesCopied += copies;
        _core.Counters.PagesMigratedToSystem += back;
        _core.Counters.MigrateToRamFaults += back;
        _core.Counters.Invalidations += told;
        Notifiers.BumpInside(range, told);
        return (ulong)end;
    }

    private void BringBackOne(ulong vpn, byte id, uint to, EntryBits touched)
    {
        uint from = _pfn[vpn];
        if (_physical.TracksContent)
        {
            _frames.Content[to] = _frames.Content[from];
        }

        EntryBits bits = _classes[id].Bits & (EntryBits.Writable | EntryBits.SoftDirty | EntryBits.Exclusive);
        _physical.MoveIdentity(from, to);
        SetEntry(vpn, _classes.Present(bits | touched), to);
        _physical.Give(from);
    }
}
