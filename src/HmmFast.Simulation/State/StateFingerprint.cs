using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace HmmFast.Simulation.State;

/// <summary>One hash over everything a memory system lets callers see: VMAs, every mapped page, every frame those pages name and its device, owners, free counts, counters.</summary>
/// <remarks>Two implementations in equal states have equal fingerprints; <see cref="StateComparison"/> finds where two differ. Cost: one observation a mapped page.</remarks>
public static class StateFingerprint
{
    private const int ChunkPages = 4096;

    /// <summary>The fingerprint of a system's state.</summary>
    public static UInt128 Compute(IMemorySystem memory)
    {
        ArgumentNullException.ThrowIfNull(memory);
        var hash = new XxHash128();
        MemoryCounters counters = memory.Counters;
        AppendCounters(hash, counters);
        Append(hash, memory.FreeSystemFrameCount);
        for (int index = 0; index < memory.DeviceCount; index++)
        {
            Append(hash, memory.FreeDevicePageCount(new DeviceId(index)));
            Append(hash, memory.OwnerOf(new DeviceId(index)).Value);
        }

        var pages = new PageObservation[ChunkPages];
        foreach (IAddressSpace space in memory.AddressSpaces)
        {
            Append(hash, 0x5350414345UL);
            foreach (VmaInfo vma in space.Vmas)
            {
                AppendVma(hash, vma);
                AppendPages(hash, memory, space, vma.Range, pages);
            }
        }

        return hash.GetCurrentHashAsUInt128();
    }

    private static void AppendCounters(XxHash128 hash, MemoryCounters counters)
    {
        Append(hash, counters.Faults);
        Append(hash, counters.ZeroPageFaults);
        Append(hash, counters.PagesCopied);
        Append(hash, counters.PagesSwappedIn);
        Append(hash, counters.PagesSwappedOut);
        Append(hash, counters.PagesMigratedToDevice);
        Append(hash, counters.PagesMigratedToSystem);
        Append(hash, counters.MigrateToRamFaults);
        Append(hash, counters.ExclusiveEnds);
        Append(hash, counters.HugeSplits);
        Append(hash, counters.Invalidations);
        Append(hash, counters.RangeFaultCalls);
        Append(hash, counters.RangeFaultBusy);
    }

    private static void AppendVma(XxHash128 hash, in VmaInfo vma)
    {
        Append(hash, vma.Range.Start.Value);
        Append(hash, vma.Range.PageCount);
        Append(hash, ((ulong)vma.Protection << 8) | (ulong)vma.Kind);
        Append(hash, vma.File.Index);
        Append(hash, vma.PageOffset);
    }

    private static void AppendPages(XxHash128 hash, IMemorySystem memory, IAddressSpace space, VpnRange range, PageObservation[] pages)
    {
        for (ulong done = 0; done < range.PageCount;)
        {
            int count = (int)Math.Min(ChunkPages, range.PageCount - done);
            Span<PageObservation> chunk = pages.AsSpan(0, count);
            space.Observe(new VpnRange(range.Start + done, (ulong)count), chunk);
            foreach (ref readonly PageObservation page in chunk)
            {
                AppendPage(hash, memory, page);
            }

            done += (ulong)count;
        }
    }

    private static void AppendPage(XxHash128 hash, IMemorySystem memory, in PageObservation page)
    {
        Append(hash, FlagsOf(page));
        Append(hash, page.Frame.Value);
        Append(hash, page.SwapSlot);
        if (page.Frame.IsFrame && !page.IsZeroPage && !page.IsSpecial)
        {
            FrameObservation frame = memory.ObserveFrame(page.Frame);
            Append(hash, ((ulong)frame.MapCount << 32) | frame.PinCount);
            Append(hash, frame.Content);
            Append(hash, memory.DeviceOf(page.Frame)?.Index ?? -1);
        }
    }

    private static ulong FlagsOf(in PageObservation page) =>
        (ulong)page.Kind
        | (page.IsWritable ? 1UL << 8 : 0)
        | (page.IsHugeMapped ? 1UL << 9 : 0)
        | (page.IsFileOrShared ? 1UL << 10 : 0)
        | (page.IsExclusive ? 1UL << 11 : 0)
        | (page.IsSoftDirty ? 1UL << 12 : 0)
        | (page.IsZeroPage ? 1UL << 13 : 0)
        | (page.IsAnonymous ? 1UL << 14 : 0)
        | (page.IsSwapBacked ? 1UL << 15 : 0)
        | (page.IsInSwapCache ? 1UL << 16 : 0)
        | (page.IsHugePart ? 1UL << 17 : 0)
        | (page.IsSpecial ? 1UL << 18 : 0)
        | ((ulong)page.MapCount << 32);

    private static void Append<T>(XxHash128 hash, T value)
        where T : unmanaged =>
        hash.Append(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)));
}
