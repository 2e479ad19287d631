namespace HmmFast.Properties.Equivalence;

/// <summary>The size and kind of a world, drawn from one number so that small and large, roomy and starved worlds all come up.</summary>
public sealed class WorldShape
{
    private const ulong BlockPages = PageOrder.PagesPerBlock;

    public WorldShape(int shape)
    {
        IsWide = shape % 4 == 0;
        OnlyAsked = shape / 4 % 4 == 0;
        HasFiles = shape / 16 % 4 != 0;
        ThirdIsCoherent = shape / 64 % 2 == 0;
        SharedOwner = shape / 128 % 4 == 0;
        TakesRuns = shape / 65536 % 2 == 0;
        bool isStarved = shape / 512 % 3 == 0;

        // Small windows straddle a 2 MiB border; wide ones hold two whole blocks and straddle a 1 GiB border at times.
        ulong border = shape / 2048 % 3 == 0 ? PageOrder.PagesPerGibibyte * 5UL : (PageOrder.PagesPerGibibyte * 5UL) + (BlockPages * 3);
        Window = IsWide ? new VpnRange(new Vpn(border - BlockPages - 40), (BlockPages * 2) + 100) : new VpnRange(new Vpn(border - 20), 48);
        ulong frames = IsWide ? 6 * BlockPages : 512;
        DevicePages = IsWide ? 700UL : 64;
        if (isStarved)
        {
            frames = IsWide ? BlockPages + 200 : 40;
            DevicePages = IsWide ? 60UL : 9;
        }

        FilePages = IsWide ? 80UL : 24;
        Options = new MemorySystemOptions
        {
            SystemFrameCount = frames,
            SwapSlotCount = (shape / 8192 % 4) switch { 0 => 0UL, 1 => 7UL, _ => 4096UL },
            Window = VpnRange.FromBounds(new Vpn(PageOrder.PagesPerGibibyte * 4UL), new Vpn(PageOrder.PagesPerGibibyte * 6UL)),
            Layout = HmmPfnLayout.All[shape / 32768 % 2],
            TrackContent = true,
        };
    }

    public bool IsWide { get; }

    public bool OnlyAsked { get; }

    public bool HasFiles { get; }

    public bool ThirdIsCoherent { get; }

    public bool SharedOwner { get; }

    /// <summary>Notifiers' handlers may be told of a run of pages in one call.</summary>
    public bool TakesRuns { get; }

    /// <summary>The pages that operations touch (the address space's own window is larger).</summary>
    public VpnRange Window { get; }

    public ulong DevicePages { get; }

    public ulong FilePages { get; }

    public MemorySystemOptions Options { get; }

    /// <summary>The range an operation names: anywhere in the window, mostly short; now and then empty.</summary>
    public VpnRange RangeOf(Operation operation)
    {
        ulong most = (operation.Count % 8) switch
        {
            0 or 1 => 2UL,
            2 or 3 or 4 => 12UL,
            5 or 6 => IsWide ? 200UL : 32,
            _ => Window.PageCount,
        };
        ulong count = (ulong)operation.Count / 8 % Math.Min(most, Window.PageCount);
        count = operation.Count % 977 == 0 ? 0 : count + 1;
        return new VpnRange(PlaceOf(operation.Page, count), count);
    }

    /// <summary>A range that covers whole blocks where the window has them.</summary>
    public VpnRange WideRangeOf(Operation operation)
    {
        if (!IsWide)
        {
            return RangeOf(operation);
        }

        ulong from = (operation.Page % 3) switch { 0 => Window.Start.Value, 1 => Window.Start.Value + 40, _ => Window.Start.Value + 40 + BlockPages };
        ulong to = Math.Min(Window.End.Value, from + (operation.Count % 2 == 0 ? BlockPages : 2 * BlockPages));
        return VpnRange.FromBounds(new Vpn(from), new Vpn(to));
    }

    /// <summary>A place in the window where a range of that many pages fits.</summary>
    public Vpn PlaceOf(int number, ulong pageCount) => Window.Start + ((ulong)number % (Window.PageCount - Math.Min(pageCount, Window.PageCount) + 1));
}
