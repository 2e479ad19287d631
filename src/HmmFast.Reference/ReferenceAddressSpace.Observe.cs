namespace HmmFast.Reference;

/// <summary>What pagemap, kpagecount and kpageflags show of a page.</summary>
internal sealed partial class ReferenceAddressSpace
{
    private PageObservation ObservePage(ulong vpn)
    {
        Vma? vma = vmas.Find(vpn);
        PageEntry entry = tables.Read(vpn);
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
                break;
            case PageEntryKind.Swap:
                seen.SwapSlot = entry.Number;
                seen.IsWritable = false;
                break;
            case PageEntryKind.Present:
                seen.IsHugeMapped = tables.IsHuge(vpn);
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

        if (physical.IsHugeZero(pfn))
        {
            seen.IsZeroPage = true;
            seen.IsHugePart = true;
            seen.IsFileOrShared = true;
            return;
        }

        uint head = physical.HeadOf(pfn);
        bool anonymous = physical[head].Has(FrameFlags.Anonymous);
        seen.MapCount = (uint)physical.MapCountOf(pfn);
        seen.IsExclusive = seen.MapCount == 1;
        seen.IsFileOrShared = !anonymous;
        if (physical.DeviceOf(pfn) is not null)
        {
            // Page flags of device memory are not shown.
            return;
        }

        seen.IsAnonymous = anonymous;
        seen.IsSwapBacked = physical[head].Has(FrameFlags.SwapBacked);
        seen.IsInSwapCache = physical[pfn].SlotPlusOne != 0;
        seen.IsHugePart = physical[pfn].Has(FrameFlags.Large);
    }
}
