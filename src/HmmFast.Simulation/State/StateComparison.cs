using System.Reflection;

namespace HmmFast.Simulation.State;

/// <summary>Finds the first place where two memory systems differ in what callers can see.</summary>
public static class StateComparison
{
    private const int ChunkPages = 4096;

    /// <summary>Says where two systems differ first, or null when they are equal.</summary>
    /// <remarks>Order: counters, free frames, address spaces, VMAs, pages in address order, the frames of those pages. Cost: one observation a mapped page and side.</remarks>
    public static string? FirstDifference(IMemorySystem left, IMemorySystem right)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        if (left.Counters != right.Counters)
        {
            return $"counters: {DifferentCounters(left.Counters, right.Counters)}";
        }

        if (left.FreeSystemFrameCount != right.FreeSystemFrameCount)
        {
            return $"free system frames: {left.FreeSystemFrameCount} and {right.FreeSystemFrameCount}";
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

            if (!leftPages[i].Frame.IsFrame || leftPages[i].IsZeroPage)
            {
                continue;
            }

            FrameObservation leftFrame = left.ObserveFrame(leftPages[i].Frame);
            FrameObservation rightFrame = right.ObserveFrame(rightPages[i].Frame);
            if (leftFrame != rightFrame)
            {
                return $"{range.Start + (ulong)i}, {leftPages[i].Frame}: {leftFrame} and {rightFrame}";
            }
        }

        return null;
    }
}
