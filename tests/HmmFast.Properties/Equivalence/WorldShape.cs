namespace HmmFast.Properties.Equivalence;

/// <summary>The size and kind of a world, drawn from one number so that small and large, roomy and starved worlds all come up.</summary>
public sealed class WorldShape
{
    private const ulong BlockPages = PageOrder.PagesPerBlock;

    // Two bits, so that a quarter of all shapes have them.
    private const int Border = 3 << 18;

    private const int Windows = 1 << 22;

    private readonly int _driverOps;
    private readonly bool _areCoherent;

    public WorldShape(int shape)
    {
        IsWide = shape % 4 == 0;
        OnlyAsked = shape / 4 % 4 == 0;
        HasFiles = shape / 16 % 4 != 0;
        ThirdIsCoherent = shape / 64 % 2 == 0;
        SharedOwner = shape / 128 % 4 == 0;
        TakesRuns = shape / 65536 % 2 == 0;
        bool isStarved = shape / 512 % 3 == 0;
        _driverOps = shape / (1 << 17) % 4;
        IsBordered = (shape & Border) == Border;
        _areCoherent = IsBordered && shape / (1 << 20) % 2 == 0;
        HasWindows = (shape & Windows) != 0;

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

        SecondDevicePages = (DevicePages / 2) + 1;
        if (IsBordered)
        {
            // Pagemaps that fill their frames: the next one's frames count on.
            DevicePages = BlockPages;
            SecondDevicePages = BlockPages;
        }

        FilePages = IsWide ? 80UL : 24;
        Options = new MemorySystemOptions
        {
            SystemFrameCount = frames,
            SwapSlotCount = (shape / 8192 % 4) switch { 0 => 0UL, 1 => 7UL, _ => 4096UL },
            Window = VpnRange.FromBounds(new Vpn(PageOrder.PagesPerGibibyte * 4UL), new Vpn(PageOrder.PagesPerGibibyte * 6UL)),
            Layout = HmmPfnLayout.All[(shape / 32768 % 2) + (shape / (1 << 21) % 2 * 2)],
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

    /// <summary>Pages of the second device.</summary>
    public ulong SecondDevicePages { get; }

    /// <summary>Devices are of exactly 512 pages, so that the frames of one end where those of the next begin; the first two have one owner.</summary>
    public bool IsBordered { get; }

    /// <summary>The first two devices have alias windows, and clients that reach them.</summary>
    public bool HasWindows { get; }

    public ulong FilePages { get; }

    public MemorySystemOptions Options { get; }

    /// <summary>The same shape, with pagemaps that meet.</summary>
    public static int Bordered(int shape) => shape | Border;

    /// <summary>The same shape, with alias windows.</summary>
    public static int Windowed(int shape) => shape | Windows;

    /// <summary>True when a device has a driver that is told of migrations: for all, none or some of them.</summary>
    public bool HasOps(int device) => _driverOps switch { 0 => false, 1 => true, _ => device % 2 == _driverOps % 2 };

    /// <summary>What a device's pagemap holds.</summary>
    public DeviceMemoryKind KindOf(int device) => (device == 2 ? ThirdIsCoherent : _areCoherent) ? DeviceMemoryKind.Coherent : DeviceMemoryKind.Private;

    /// <summary>A range of 16 pages or more.</summary>
    public VpnRange LongRangeOf(Operation operation)
    {
        const ulong Least = 16;
        ulong count = operation.Count % 3 == 0 ? Window.PageCount : Least + ((ulong)operation.Count / 3 % (Math.Min(Window.PageCount, 256) - Least));
        return new VpnRange(PlaceOf(operation.Page, count), count);
    }

    /// <summary>Any range, or one of 16 pages or more, which has different things in it.</summary>
    public VpnRange MixedRangeOf(Operation operation) => operation.A % 2 == 0 ? RangeOf(operation) : LongRangeOf(operation);

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
