using HmmFast.Physical;

namespace HmmFast.AddressSpaces;

/// <content>What pagemap, kpagecount and kpageflags would show.</content>
internal sealed unsafe partial class AddressSpace
{
    public void Observe(VpnRange range, Span<PageObservation> pages)
    {
        pages.Clear();
        ulong end = range.End.Value;
        for (int i = _vmas.IndexFrom(range.Start.Value); i < _vmas.Count && _vmas[i].Start < end; i++)
        {
            Vma vma = _vmas[i];
            ulong from = Math.Max(vma.Start, range.Start.Value);
            ulong to = Math.Min(vma.End, end);
            for (ulong vpn = from; vpn < to; vpn++)
            {
                pages[(int)(vpn - range.Start.Value)] = Observe(vma, vpn);
            }
        }
    }

    private PageObservation Observe(Vma vma, ulong vpn)
    {
        PageClass pageClass = ClassAt(vpn, out uint number);
        var page = new PageObservation
        {
            Kind = pageClass.Kind,
            IsWritable = pageClass.IsWritable && pageClass.Kind != PageEntryKind.Swap,
            IsHugeMapped = (pageClass.Bits & EntryBits.Huge) != 0,
            IsSoftDirty = vma.SoftDirty || pageClass.IsSoftDirty,
            Frame = Pfn.None,
        };
        switch (pageClass.Kind)
        {
            case PageEntryKind.Present:
                page.Frame = new Pfn(number);
                page.IsZeroPage = pageClass.IsZero;
                if (pageClass.IsZero)
                {
                    // As recorded: the huge zero page counts as file-backed and as part of a 2 MiB page, the small one as neither.
                    page.IsFileOrShared = page.IsHugePart = page.IsHugeMapped;
                    break;
                }

                page.IsSpecial = !pageClass.HoldsFrame;
                if (page.IsSpecial)
                {
                    break;
                }

                FrameFlags flags = _frames.Flags[number];
                page.IsFileOrShared = (flags & FrameFlags.Anonymous) == 0;
                page.MapCount = _frames.MapCount[number];
                page.IsExclusive = page.MapCount == 1;
                if (_physical.PagemapOf(number) is not null)
                {
                    // Page flags of device memory are not shown.
                    break;
                }

                page.IsAnonymous = !page.IsFileOrShared;
                page.IsSwapBacked = (flags & FrameFlags.SwapBacked) != 0;
                page.IsInSwapCache = (flags & FrameFlags.SwapCache) != 0;
                page.IsHugePart = (flags & FrameFlags.HugePart) != 0;
                break;
            case PageEntryKind.DevicePrivate:
            case PageEntryKind.DeviceExclusive:
                page.Frame = new Pfn(number);
                break;
            case PageEntryKind.Swap:
                page.SwapSlot = number;
                break;
        }

        return page;
    }
}
