using System.Runtime.CompilerServices;
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

        var range = new VpnRange(new Vpn(from), to - from);
        bool isWatched = Notifiers.HasHandler(range);
        ReadOnlySpan<FaultAction> actions = _core.ActionsFor(write, isTaken);
        int count = (int)(to - from);
        int frames = 0;
        int told = 0;
        int length = 0;
        for (; length < count; length++)
        {
            FaultAction action = actions[_class[from + (ulong)length]];
            if (action == FaultAction.Other || (action > FaultAction.Fill && (isWatched || !MayGoAlong(from + (ulong)length, action))))
            {
                break;
            }

            frames += action != FaultAction.Nothing && (write || action != FaultAction.Fill) ? 1 : 0;
            told += action > FaultAction.Fill ? 1 : 0;
        }

        if (length < 2 || (told > 0 && !Notifiers.IsInsideOrOutside(range)))
        {
            return 0;
        }

        if (frames > 0 && write)
        {
            _vmas.PrepareAnon(vma);
        }

        return FaultMixedRun(vma, from, length, frames, write, isTaken, actions, out outcome);
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
    private ulong FaultMixedRun(Vma vma, ulong from, int length, int frames, bool write, bool isTaken, ReadOnlySpan<FaultAction> actions, out FaultOutcome outcome)
    {
        byte written = _classes.Present(Written);
        byte zero = _classes.Present(EntryBits.Zero);
        uint anon = vma.Anon?.Number ?? 0;
        uint index = IndexOf(vma, from);
        Span<uint> taken = stackalloc uint[(int)BlockPages];
        int takenCount = _physical.TakeAnonymous(taken[..frames], anon);
        int next = 0;
        ulong faults = 0;
        ulong zeroes = 0;
        ulong copies = 0;
        ulong back = 0;
        int page = 0;
        outcome = FaultOutcome.Done;
        for (; page < length; page++)
        {
            ulong vpn = from + (ulong)page;
            byte id = _class[vpn];
            FaultAction action = actions[id];
            if (action == FaultAction.Nothing)
            {
                faults += isTaken ? 1UL : 0;
                if (write && !isTaken && !_classes[id].IsDirty)
                {
                    // The processor marks what it writes.
                    _class[vpn] = _classes.Change(id, EntryBits.Dirty, EntryBits.None);
                }

                continue;
            }

            faults++;
            if (action == FaultAction.Fill && !write)
            {
                _class[vpn] = zero;
                _pfn[vpn] = 0;
                zeroes++;
                continue;
            }

            copies += action == FaultAction.CopyZero ? 1UL : 0;
            back += action == FaultAction.BringBack ? 1UL : 0;
            if (next == takenCount)
            {
                outcome = FaultOutcome.OutOfMemory;
                break;
            }

            uint frame = taken[next++];
            if (action == FaultAction.BringBack)
            {
                BringBackOne(vpn, id, frame);
                continue;
            }

            _frames.Index[frame] = index + (uint)page;
            _class[vpn] = written;
            _pfn[vpn] = frame;
        }

        // The page that found no frame was told of and counted, but nothing else happened to it.
        bool failed = outcome != FaultOutcome.Done;
        FaultAction last = failed ? actions[_class[from + (ulong)page]] : FaultAction.Nothing;
        ulong told = copies + back - (last == FaultAction.CopyZero ? 1UL : 0);
        copies -= last == FaultAction.CopyZero ? 1UL : 0;
        back -= last == FaultAction.BringBack ? 1UL : 0;
        _core.Counters.Faults += faults;
        _core.Counters.ZeroPageFaults += zeroes;
        _core.Counters.PagesCopied += copies;
        _core.Counters.PagesMigratedToSystem += back;
        _core.Counters.MigrateToRamFaults += back;
        _core.Counters.Invalidations += told;
        Notifiers.BumpInside(new VpnRange(new Vpn(from), (ulong)length), told);
        return (ulong)page;
    }

    private void BringBackOne(ulong vpn, byte id, uint to)
    {
        uint from = _pfn[vpn];
        if (_physical.TracksContent)
        {
            _frames.Content[to] = _frames.Content[from];
        }

        EntryBits bits = _classes[id].Bits & (EntryBits.Writable | EntryBits.SoftDirty | EntryBits.Exclusive);
        _physical.MoveIdentity(from, to);
        SetEntry(vpn, _classes.Present(bits), to);
        _physical.Give(from);
    }
}
