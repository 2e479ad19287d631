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
        HmmStatus status = space.RangeFault(
            new HmmRange
            {
                Range = range,
                Notifier = notifier,
                NotifierSequence = notifier.ReadBegin(),
                Policy = RevealPolicy.Instance,
                IgnoresWords = true,
            },
            words);
        if (status != HmmStatus.Ok)
        {
            throw new InvalidOperationException($"A snapshot of {range}, which asks for nothing, answered {status}.");
        }
    }

    private static bool Runs(HmmPfnLayout layout, VpnRange chunk, ReadOnlySpan<HmmPfn> words, Pfn first, ulong count, Func<VpnRange, bool> action)
    {
        var frames = WordBand.OfFrames(layout, first.Value, count);
        int start = frames.StartOfRun(words, 0);
        while (start < words.Length)
        {
            int end = frames.EndOfRun(words, start);
            if (!action(new VpnRange(chunk.Start + (ulong)start, (ulong)(end - start))))
            {
                return false;
            }

            start = frames.StartOfRun(words, end);
        }

        return true;
    }
}
