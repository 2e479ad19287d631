namespace HmmFast.Drivers.Moving;

/// <summary>Finds a device's pages in an address space by snapshots that fault nothing.</summary>
public static class DevicePages
{
    private const ulong ChunkPageCount = 1 << 15;

    /// <summary>Calls back for every run of virtual pages whose entries hold frames of one device, in address order.</summary>
    /// <param name="space">The address space. It may be changed by the callback: what lies ahead is looked at afterwards.</param>
    /// <param name="first">First frame of the device.</param>
    /// <param name="count">Its frames.</param>
    /// <param name="action">Gets each run; false ends the search.</param>
    /// <returns>False when the callback ended it.</returns>
    public static bool ForEachRun(IAddressSpace space, Pfn first, ulong count, Func<VpnRange, bool> action)
    {
        ArgumentNullException.ThrowIfNull(space);
        ArgumentNullException.ThrowIfNull(action);
        HmmPfnLayout layout = space.Memory.Options.Layout;
        HmmPfn[] words = new HmmPfn[ChunkPageCount];
        foreach (VmaInfo vma in space.Vmas.ToArray())
        {
            for (ulong offset = 0; offset < vma.Range.PageCount; offset += ChunkPageCount)
            {
                VpnRange chunk = new(vma.Range.Start + offset, Math.Min(ChunkPageCount, vma.Range.PageCount - offset));
                Span<HmmPfn> view = words.AsSpan(0, (int)chunk.PageCount);
                Snapshot(space, chunk, view);
                if (!Runs(layout, chunk, view, first, count, action))
                {
                    return false;
                }
            }
        }

        return true;
    }

    /// <summary>What stands at each page, private frames of every owner included; nothing is faulted.</summary>
    /// <param name="space">The address space.</param>
    /// <param name="range">The pages.</param>
    /// <param name="words">Receives the words; as long as the range.</param>
    public static void Snapshot(IAddressSpace space, VpnRange range, Span<HmmPfn> words)
    {
        ArgumentNullException.ThrowIfNull(space);
        using IMmuIntervalNotifier notifier = space.InsertNotifier(range, null);
        words.Clear();
        HmmStatus status = space.RangeFault(
            new HmmRange
            {
                Range = range,
                Notifier = notifier,
                NotifierSequence = notifier.ReadBegin(),
                Policy = RevealPolicy.Instance,
            },
            words);
        if (status != HmmStatus.Ok)
        {
            throw new InvalidOperationException($"A snapshot of {range}, which asks for nothing, answered {status}.");
        }
    }

    private static bool Runs(HmmPfnLayout layout, VpnRange chunk, ReadOnlySpan<HmmPfn> words, Pfn first, ulong count, Func<VpnRange, bool> action)
    {
        ulong keep = layout.ValidBit | layout.PfnMask;
        ulong wanted = layout.ValidBit | first.Value;
        int i = 0;
        while (i < words.Length)
        {
            // Valid and inside [first, first + count) in one unsigned comparison.
            if ((words[i].Raw & keep) - wanted >= count)
            {
                i++;
                continue;
            }

            int start = i;
            while (i < words.Length && (words[i].Raw & keep) - wanted < count)
            {
                i++;
            }

            if (!action(new VpnRange(chunk.Start + (ulong)start, (ulong)(i - start))))
            {
                return false;
            }
        }

        return true;
    }
}
