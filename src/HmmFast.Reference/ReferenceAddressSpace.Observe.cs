namespace HmmFast.Reference;

/// <summary>What pagemap, kpagecount and kpageflags show of a page.</summary>
internal sealed partial class ReferenceAddressSpace
{
    private PageObservation ObservePage(ulong vpn)
    {
        Vma? vma = _vmas.Find(vpn);
        PageEntry entry = _tables.Read(vpn);
        PageObservation seen = new()
        {
            Kind = entry.Kind,
            IsWritable = entry.IsWritable,
            IsSoftDirty = entry.IsSoftDirty || vma is { SoftDirty: true },
            Frame = Pfn.None,
        };
        switch (entry.Kind)
        {
            case PageEntryKind.None:
            case PageEntryKind.Migration:
            case PageEntryKind.Marker:
                break;
            case PageEntryKind.Present when entry.IsSpecial:
                seen.IsSpecial = true;
                seen.Frame = new Pfn(entry.Number);
                break;
            case PageEntryKind.Swap:
                seen.SwapSlot = entry.Number;
                seen.IsWritable = false;
                break;
            case PageEntryKind.Present:
                seen.IsHugeMapped = _tables.IsHuge(vpn);
                ObserveFrame(entry.Number, ref seen);
                break;
            default:
                seen.Frame = new Pfn(entry.Number);
                break;
        }

        return seen;
    }

    private void ObserveFrame(uint pfn, ref PageObservation seen)
    {
        seen.Frame = new Pfn(pfn);
        if (pfn == PhysicalMemory.ZeroFrame)
        {
            seen.IsZeroPage = true;
            return;
        }

        if (_physical.IsHugeZero(pfn))
        {
            seen.IsZeroPage = true;
            seen.IsHugePart = true;
            seen.IsFileOrShared = true;
            return;
        }

        uint head = _physical.HeadOf(pfn);
        bool anonymous = _physical[head].Has(FrameFlags.Anonymous);
        seen.MapCount = (uint)_physical.MapCountOf(pfn);
        seen.IsExclusive = seen.MapCount == 1;
        seen.IsFileOrShared = !anonymous;
        if (_physical.DeviceOf(pfn) is not null)
        {
            // Page flags of device memory are not shown.
            return;
        }

        seen.IsAnonymous = anonymous;
        seen.IsSwapBacked = _physical[head].Has(FrameFlags.SwapBacked);
        seen.IsInSwapCache = _physical[pfn].SlotPlusOne != 0;
        seen.IsHugePart = _physical[pfn].Has(FrameFlags.Large);
    }
}
