namespace HmmFast.Dma;

/// <summary>One device's I/O virtual addresses behind an IOMMU: hands out the lowest free range, in pages.</summary>
/// <remarks>Cost: one step a range that is taken. Drivers hold few ranges (one a map), so a sorted list is enough.</remarks>
internal sealed class IovaSpace
{
    private readonly List<(ulong First, ulong PageCount)> _taken = [];
    private readonly ulong _firstPage;
    private readonly ulong _endPage;

    /// <summary>Makes the space of a device.</summary>
    public IovaSpace(DmaDeviceOptions options)
    {
        _firstPage = options.IovaStart / PageOrder.PageSizeBytes;
        _endPage = (options.Mask / PageOrder.PageSizeBytes) + (options.MaskBits >= 64 ? 0UL : 1UL);
    }

    /// <summary>Takes the lowest free range.</summary>
    /// <returns>False when none below the device's mask is long enough.</returns>
    public bool TryTake(ulong pageCount, out DmaAddress first)
    {
        ulong candidate = _firstPage;
        int place = 0;
        for (; place < _taken.Count && _taken[place].First - candidate < pageCount; place++)
        {
            candidate = _taken[place].First + _taken[place].PageCount;
        }

        if (candidate > _endPage || _endPage - candidate < pageCount)
        {
            first = DmaAddress.MappingError;
            return false;
        }

        _taken.Insert(place, (candidate, pageCount));
        first = new DmaAddress(candidate * PageOrder.PageSizeBytes);
        return true;
    }

    /// <summary>Gives a range back.</summary>
    public void Return(DmaAddress first)
    {
        ulong page = first.Value / PageOrder.PageSizeBytes;
        int place = _taken.FindIndex(range => range.First == page);
        if (place < 0)
        {
            throw new InvalidOperationException($"{first} is not the start of a range that is taken.");
        }

        _taken.RemoveAt(place);
    }
}
