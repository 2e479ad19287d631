namespace HmmFast.Drivers.Mirror;

public sealed partial class MirrorDevice
{
    // Rounds of a command that bring it no page further; more than one can happen when a later chunk's fault invalidates an earlier chunk.
    private const int StalledRoundLimit = 16;

    /// <summary>The device reads: through the mirror, range-faulting what is missing from the first missing page to the end.</summary>
    /// <param name="addressBytes">First byte; page aligned.</param>
    /// <param name="pageCount">Pages.</param>
    /// <param name="tags">Receives each page's content, when everything could be read.</param>
    /// <returns>PageCount: pages read before the end or the error. Fault: no page to be had, or <paramref name="tags"/> is too short.</returns>
    public MirrorResult Read(ulong addressBytes, ulong pageCount, Span<ulong> tags)
    {
        if (!TryGetRange(addressBytes, pageCount, out VpnRange range))
        {
            return MirrorResult.BadArguments;
        }

        ulong[] bounce = new ulong[range.PageCount];
        ulong copied = 0;
        ulong rounds = 0;
        int stalled = 0;
        while (true)
        {
            ulong before = copied;
            copied = CopyOut(range, copied, bounce);
            if (copied == range.PageCount)
            {
                break;
            }

            stalled = copied == before ? stalled + 1 : 0;
            HmmStatus status = stalled > StalledRoundLimit ? HmmStatus.Busy : FaultIn(From(range, copied), write: false);
            if (status != HmmStatus.Ok)
            {
                return new MirrorResult(status, copied, rounds);
            }

            rounds++;
        }

        return new MirrorResult(GiveBack(bounce, tags), copied, rounds);
    }

    /// <summary>The device writes: through the mirror, range-faulting for write from the first page without write access to the end.</summary>
    /// <param name="addressBytes">First byte; page aligned.</param>
    /// <param name="tags">What each page gets.</param>
    /// <param name="pageCount">Pages; a <paramref name="tags"/> of another length is the bad pointer: Fault, nothing done.</param>
    /// <returns>
    /// PageCount: pages written before the end or the error. NotPermitted: a VMA without write permission. Fault: no page to be had, or the device's
    /// own page has a read-only entry (a range fault hands that out without write access, and nothing but the CPU can change it).
    /// </returns>
    public MirrorResult Write(ulong addressBytes, ulong pageCount, ReadOnlySpan<ulong> tags)
    {
        if (!TryGetRange(addressBytes, pageCount, out VpnRange range))
        {
            return MirrorResult.BadArguments;
        }

        if ((ulong)tags.Length != pageCount)
        {
            return new MirrorResult(HmmStatus.Fault, 0, 0);
        }

        ulong copied = 0;
        ulong rounds = 0;
        int stalled = 0;
        while (true)
        {
            ulong before = copied;
            copied = CopyIn(range, copied, tags);
            if (copied == range.PageCount)
            {
                return new MirrorResult(HmmStatus.Ok, copied, rounds);
            }

            stalled = copied == before ? stalled + 1 : 0;
            HmmStatus status = stalled > StalledRoundLimit ? HmmStatus.Busy : FaultIn(From(range, copied), write: true);
            if (status != HmmStatus.Ok)
            {
                return new MirrorResult(status, copied, rounds);
            }

            rounds++;
        }
    }

    /// <summary>What this device would see at each page, without asking for anything.</summary>
    /// <param name="addressBytes">First byte; page aligned.</param>
    /// <param name="pageCount">Pages.</param>
    /// <param name="protections">Receives one byte a page; filled chunk by chunk.</param>
    /// <returns>PageCount: pages handed out. Fault when <paramref name="protections"/> cannot hold the next chunk.</returns>
    public MirrorResult Snapshot(ulong addressBytes, ulong pageCount, Span<MirrorProtection> protections)
    {
        if (!TryGetRange(addressBytes, pageCount, out VpnRange range))
        {
            return MirrorResult.BadArguments;
        }

        Span<HmmPfn> words = stackalloc HmmPfn[ChunkPageCount];
        for (ulong offset = 0; offset < range.PageCount; offset += ChunkPageCount)
        {
            VpnRange chunk = ChunkOf(range, offset);
            Span<HmmPfn> part = words[..(int)chunk.PageCount];

            // A snapshot needs no table to be kept in step afterwards: a notifier over the chunk, for the time of the call, is enough.
            using IMmuIntervalNotifier notifier = Space.InsertNotifier(chunk, handler: null);
            HmmStatus status = FaultUntilFresh(notifier, chunk, HmmRequestFlags.None, part);
            if (status != HmmStatus.Ok)
            {
                return new MirrorResult(status, offset, 0);
            }

            if ((ulong)protections.Length < offset + chunk.PageCount)
            {
                return new MirrorResult(HmmStatus.Fault, offset, 0);
            }

            for (int i = 0; i < part.Length; i++)
            {
                protections[(int)offset + i] = ProtectionOf(part[i]);
            }
        }

        return new MirrorResult(HmmStatus.Ok, range.PageCount, 0);
    }

    /// <summary>One range fault as a caller chooses it, under a notifier of its own that every invalidation makes stale. The mirror is not filled.</summary>
    /// <param name="range">Pages.</param>
    /// <param name="defaultFlags">Asked of every page.</param>
    /// <param name="mask">Which flags of the words themselves count.</param>
    /// <param name="owner">Whose private pages may be handed out as they are.</param>
    /// <param name="retryLimit">How often a Busy call is repeated.</param>
    /// <param name="keepWords">True repeats with the words as the failed call left them, false with the caller's.</param>
    /// <param name="words">In: requests. Out: what the last call left. As long as the range.</param>
    /// <returns>The last call's status, and how many calls were Busy.</returns>
    /// <remarks>Source: the driver's range fault command of rf_core.jsonl.gz and its kin.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The retry limit is negative, or the range lies outside the window.</exception>
    /// <exception cref="ArgumentException">The range is empty, or the words are not as long.</exception>
    public MirrorRangeFaultResult FaultRange(
        VpnRange range,
        HmmRequestFlags defaultFlags,
        HmmRequestFlags mask,
        OwnerId owner,
        int retryLimit,
        bool keepWords,
        Span<HmmPfn> words)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(retryLimit);
        HmmPfn[] requests = words.ToArray();
        int busyCount = 0;
        using IMmuIntervalNotifier notifier = Space.InsertNotifier(range, handler: null);
        while (true)
        {
            HmmStatus status = Space.RangeFault(
                new HmmRange
                {
                    Range = range,
                    Notifier = notifier,
                    NotifierSequence = notifier.ReadBegin(),
                    DefaultFlags = defaultFlags,
                    PfnFlagsMask = mask,
                    Owner = owner,
                    FaultHabit = FaultHabit,
                },
                words);
            if (status != HmmStatus.Busy)
            {
                return new MirrorRangeFaultResult(status, busyCount);
            }

            busyCount++;
            if (busyCount > retryLimit)
            {
                return new MirrorRangeFaultResult(status, busyCount);
            }

            if (!keepWords)
            {
                requests.CopyTo(words);
            }
        }
    }

    private static VpnRange From(VpnRange range, ulong offset) => new(range.Start + offset, range.PageCount - offset);

    private static HmmStatus GiveBack(ulong[] bounce, Span<ulong> tags)
    {
        if (tags.Length < bounce.Length)
        {
            return HmmStatus.Fault;
        }

        bounce.CopyTo(tags);
        return HmmStatus.Ok;
    }

    /// <summary>Reads through the mirror from page <paramref name="copied"/> on; returns the page it stopped at.</summary>
    private ulong CopyOut(VpnRange range, ulong copied, Span<ulong> tags)
    {
        while (copied < range.PageCount && _mirror.TryGetValue(range.Start.Value + copied, out MirrorEntry entry))
        {
            tags[(int)copied] = _memory.ReadContent(entry.Frame);
            copied++;
        }

        return copied;
    }

    /// <summary>Writes through the mirror from page <paramref name="copied"/> on; returns the page it stopped at.</summary>
    private ulong CopyIn(VpnRange range, ulong copied, ReadOnlySpan<ulong> tags)
    {
        while (copied < range.PageCount
            && _mirror.TryGetValue(range.Start.Value + copied, out MirrorEntry entry)
            && entry.Access == MirrorAccess.Write)
        {
            _memory.WriteContent(entry.Frame, tags[(int)copied]);
            copied++;
        }

        return copied;
    }

    /// <summary>Range-faults a range in chunks and enters what comes back; an error leaves the chunks before it mirrored.</summary>
    private HmmStatus FaultIn(VpnRange range, bool write)
    {
        HmmRequestFlags request = write ? HmmRequestFlags.Fault | HmmRequestFlags.Write : HmmRequestFlags.Fault;
        Span<HmmPfn> words = stackalloc HmmPfn[ChunkPageCount];
        for (ulong offset = 0; offset < range.PageCount; offset += ChunkPageCount)
        {
            VpnRange chunk = ChunkOf(range, offset);
            Span<HmmPfn> part = words[..(int)chunk.PageCount];
            HmmStatus status = FaultUntilFresh(Notifier, chunk, request, part);
            if (status == HmmStatus.Ok)
            {
                status = Enter(chunk, part, write);
            }

            if (status != HmmStatus.Ok)
            {
                return status;
            }
        }

        return HmmStatus.Ok;
    }

    /// <summary>The loop every HMM driver has: read the sequence, fault, and begin again while an invalidation came between.</summary>
    private HmmStatus FaultUntilFresh(IMmuIntervalNotifier notifier, VpnRange range, HmmRequestFlags request, Span<HmmPfn> words)
    {
        for (int attempt = 0; attempt < RetryLimit; attempt++)
        {
            ulong sequence = notifier.ReadBegin();
            words.Clear();
            HmmStatus status = Space.RangeFault(
                new HmmRange
                {
                    Range = range,
                    Notifier = notifier,
                    NotifierSequence = sequence,
                    DefaultFlags = request,
                    Owner = Owner,
                    FaultHabit = FaultHabit,
                },
                words);
            if (status == HmmStatus.Busy)
            {
                continue;
            }

            // Under its own lock a real driver asks once more before it enters the result: an invalidation may have come since.
            if (status == HmmStatus.Ok && notifier.ReadRetry(sequence))
            {
                continue;
            }

            return status;
        }

        return HmmStatus.Busy;
    }

    private HmmStatus Enter(VpnRange chunk, ReadOnlySpan<HmmPfn> words, bool write)
    {
        for (int i = 0; i < words.Length; i++)
        {
            bool writable = _layout.IsWritable(words[i]);
            if (write && !writable)
            {
                // Success without write access: the device's own private page behind a read-only entry.
                return HmmStatus.Fault;
            }

            _mirror[chunk.Start.Value + (ulong)i] = new MirrorEntry(_layout.PfnOf(words[i]), writable ? MirrorAccess.Write : MirrorAccess.Read);
        }

        return HmmStatus.Ok;
    }

    private MirrorProtection ProtectionOf(HmmPfn word)
    {
        if (_layout.IsError(word))
        {
            return MirrorProtection.Error;
        }

        if (!_layout.IsValid(word))
        {
            return MirrorProtection.None;
        }

        Pfn pfn = _layout.PfnOf(word);
        MirrorProtection protection = _layout.IsWritable(word) ? MirrorProtection.Write : MirrorProtection.Read;
        if (_layout.OrderOf(word) == PageOrder.Huge)
        {
            protection |= MirrorProtection.Huge;
        }

        if (pfn.Value == 0)
        {
            protection |= MirrorProtection.ZeroPage;
        }
        else if (_memory.DeviceOf(pfn) is { } device)
        {
            protection |= (_memory.KindOf(device), device == Id) switch
            {
                (DeviceMemoryKind.Private, true) => MirrorProtection.PrivateLocal,
                (DeviceMemoryKind.Private, false) => MirrorProtection.PrivateRemote,
                (DeviceMemoryKind.Coherent, true) => MirrorProtection.CoherentLocal,
                _ => MirrorProtection.CoherentRemote,
            };
        }

        return protection;
    }
}
