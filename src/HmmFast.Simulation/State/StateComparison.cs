using System.Reflection;

namespace HmmFast.Simulation.State;

/// <summary>Finds the first place where two memory systems differ in what callers can see.</summary>
public static class StateComparison
{
    private const int ChunkPages = 4096;

    /// <summary>Says where two systems differ first, or null when they are equal.</summary>
    /// <remarks>
    /// Order: counters, free frames, devices and their free pages, address spaces, VMAs, pages in address order, the frames of those pages with their device and its
    /// owner. Cost: one observation a mapped page and side.
    /// </remarks>
    /// <param name="left">One system.</param>
    /// <param name="right">The other.</param>
    /// <param name="comparesCalls">False leaves range-fault calls (and those of them that were busy) out, for systems that were asked the same in different calls.</param>
    public static string? FirstDifference(IMemorySystem left, IMemorySystem right, bool comparesCalls = true)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        MemoryCounters leftCounters = Compared(left.Counters, comparesCalls);
        MemoryCounters rightCounters = Compared(right.Counters, comparesCalls);
        if (leftCounters != rightCounters)
        {
            return $"counters: {DifferentCounters(leftCounters, rightCounters)}";
        }

        if (left.FreeSystemFrameCount != right.FreeSystemFrameCount)
        {
            return $"free system frames: {left.FreeSystemFrameCount} and {right.FreeSystemFrameCount}";
        }

        if (DifferentDevice(left, right) is { } device)
        {
            return device;
        }

        if (left.AddressSpaces.Count != right.AddressSpaces.Count)
        {
            return $"address spaces: {left.AddressSpaces.Count} and {right.AddressSpaces.Count}";
        }

        for (int i = 0; i < left.AddressSpaces.Count; i++)
        {
            string? difference = FirstDifference(left.AddressSpaces[i], right.AddressSpaces[i]);
            if (difference is not null)
            {
                return $"address space {i}: {difference}";
            }
        }

        return null;
    }

    private static MemoryCounters Compared(MemoryCounters counters, bool comparesCalls) =>
        comparesCalls ? counters : counters with { RangeFaultCalls = 0, RangeFaultBusy = 0 };

    private static string? DifferentDevice(IMemorySystem left, IMemorySystem right)
    {
        if (left.DeviceCount != right.DeviceCount)
        {
            return $"devices: {left.DeviceCount} and {right.DeviceCount}";
        }

        for (int index = 0; index < left.DeviceCount; index++)
        {
            var device = new DeviceId(index);
            ulong leftFree = left.FreeDevicePageCount(device);
            ulong rightFree = right.FreeDevicePageCount(device);
            if (leftFree != rightFree)
            {
                return $"free pages of device {index}: {leftFree} and {rightFree}";
            }

            if (left.OwnerOf(device) != right.OwnerOf(device))
            {
                return $"owner of device {index}: {left.OwnerOf(device)} and {right.OwnerOf(device)}";
            }
        }

        return null;
    }

    private static string DifferentCounters(MemoryCounters left, MemoryCounters right)
    {
        List<string> different = [];
        foreach (PropertyInfo counter in typeof(MemoryCounters).GetProperties())
        {
            object? leftValue = counter.GetValue(left);
            object? rightValue = counter.GetValue(right);
            if (!Equals(leftValue, rightValue))
            {
                different.Add($"{counter.Name} {leftValue} and {rightValue}");
            }
        }

        return string.Join(", ", different);
    }

    private static string? FirstDifference(IAddressSpace left, IAddressSpace right)
    {
        IReadOnlyList<VmaInfo> leftVmas = left.Vmas;
        IReadOnlyList<VmaInfo> rightVmas = right.Vmas;
        for (int i = 0; i < Math.Min(leftVmas.Count, rightVmas.Count); i++)
        {
            if (leftVmas[i] != rightVmas[i])
            {
                return $"VMA {i}: {leftVmas[i]} and {rightVmas[i]}";
            }
        }

        if (leftVmas.Count != rightVmas.Count)
        {
            return $"VMAs: {leftVmas.Count} and {rightVmas.Count}";
        }

        var leftPages = new PageObservation[ChunkPages];
        var rightPages = new PageObservation[ChunkPages];
        foreach (VmaInfo vma in leftVmas)
        {
            for (ulong done = 0; done < vma.Range.PageCount;)
            {
                int count = (int)Math.Min(ChunkPages, vma.Range.PageCount - done);
                var chunk = new VpnRange(vma.Range.Start + done, (ulong)count);
                left.Observe(chunk, leftPages.AsSpan(0, count));
                right.Observe(chunk, rightPages.AsSpan(0, count));
                string? difference = FirstDifference(left.Memory, right.Memory, chunk, leftPages.AsSpan(0, count), rightPages.AsSpan(0, count));
                if (difference is not null)
                {
                    return difference;
                }

                done += (ulong)count;
            }
        }

        return null;
    }

    private static string? FirstDifference(
        IMemorySystem left,
        IMemorySystem right,
        VpnRange range,
        ReadOnlySpan<PageObservation> leftPages,
        ReadOnlySpan<PageObservation> rightPages)
    {
        for (int i = 0; i < leftPages.Length; i++)
        {
            if (leftPages[i] != rightPages[i])
            {
                return $"{range.Start + (ulong)i}: {leftPages[i]} and {rightPages[i]}";
            }

            if (!leftPages[i].Frame.IsFrame || leftPages[i].IsZeroPage || leftPages[i].IsSpecial)
            {
                continue;
            }

            FrameObservation leftFrame = left.ObserveFrame(leftPages[i].Frame);
            FrameObservation rightFrame = right.ObserveFrame(rightPages[i].Frame);
            if (leftFrame != rightFrame)
            {
                return $"{range.Start + (ulong)i}, {leftPages[i].Frame}: {leftFrame} and {rightFrame}";
            }

            // Owners of equal devices have been compared.
            DeviceId? leftDevice = left.DeviceOf(leftPages[i].Frame);
            DeviceId? rightDevice = right.DeviceOf(rightPages[i].Frame);
            if (leftDevice != rightDevice)
            {
                return $"{range.Start + (ulong)i}, {leftPages[i].Frame}: of device {leftDevice} and {rightDevice}";
            }
        }

        return null;
    }
}
