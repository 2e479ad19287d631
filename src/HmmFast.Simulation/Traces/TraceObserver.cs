using HmmFast.Drivers.Mirror;

namespace HmmFast.Simulation.Traces;

/// <summary>Looks at a world as the recorder did after each step: both snapshots, the page tables, the VMAs.</summary>
internal sealed class TraceObserver
{
    private readonly TraceWorld _world;
    private readonly MirrorProtection[] _snapshot0;
    private readonly MirrorProtection[] _snapshot1;
    private readonly PageObservation[] _child;
    private readonly Dictionary<ulong, int> _firstPageOfFrame = [];

    internal TraceObserver(TraceWorld world)
    {
        _world = world;
        _snapshot0 = new MirrorProtection[world.PageCount];
        _snapshot1 = new MirrorProtection[world.PageCount];
        Raw = new PageObservation[world.PageCount];
        _child = new PageObservation[world.PageCount];
        Pages = new TracePage[world.PageCount];
    }

    /// <summary>The parent's pages as the model shows them.</summary>
    internal PageObservation[] Raw { get; }

    /// <summary>The parent's pages as a recording would.</summary>
    internal TracePage[] Pages { get; }

    /// <summary>The child's pages, or null.</summary>
    internal TraceChildRun[]? Child { get; private set; }

    internal List<TraceVma> Vmas { get; } = [];

    internal void Look()
    {
        ulong address = _world.RegionStart.Value * PageOrder.PageSizeBytes;
        Expect(_world.Devices[0].Snapshot(address, (ulong)_world.PageCount, _snapshot0));
        Expect(_world.Devices[1].Snapshot(address, (ulong)_world.PageCount, _snapshot1));
        _world.Parent.Observe(_world.Region, Raw);
        _firstPageOfFrame.Clear();
        for (int page = 0; page < Pages.Length; page++)
        {
            ref PageObservation raw = ref Raw[page];
            Pages[page] = new TracePage(
                (byte)_snapshot0[page],
                (byte)_snapshot1[page],
                EntryOf(raw),
                FlagsOf(raw),
                IsCounted(raw) ? raw.MapCount : 0,
                SameDistance(raw, page));
        }

        LookAtChild();
        LookAtVmas();
    }

    /// <summary>A result word of a direct range fault as a recording shows it; the frame is judged by the last look.</summary>
    internal TraceResultRun ResultOf(HmmPfn request, HmmPfn word, int page)
    {
        if (word == request)
        {
            return new TraceResultRun(page, 1, "", 0, true, '-');
        }

        HmmPfnLayout layout = _world.Memory.Options.Layout;
        string flags = (layout.IsValid(word) ? "V" : "") + (layout.IsWritable(word) ? "W" : "") + (layout.IsError(word) ? "E" : "");
        char frame = '-';
        if (layout.IsValid(word))
        {
            bool isThere = page < Raw.Length && Raw[page].Frame == layout.PfnOf(word);
            frame = !isThere ? '!' : Raw[page].IsZeroPage ? 'z' : '=';
        }

        return new TraceResultRun(page, 1, flags, layout.OrderOf(word).Value, false, frame);
    }

    private static void Expect(MirrorResult result)
    {
        if (result.Status != HmmStatus.Ok)
        {
            throw new InvalidOperationException($"A snapshot of the whole region answered {result.Status}; it never fails for a mapping reason.");
        }
    }

    private static char EntryOf(in PageObservation page) => page.Kind switch
    {
        PageEntryKind.None => '-',
        PageEntryKind.Present => 'P',
        PageEntryKind.Swap => 'S',
        PageEntryKind.DevicePrivate => page.IsWritable ? 'D' : 'd',
        PageEntryKind.DeviceExclusive => page.IsWritable ? 'X' : 'x',
        PageEntryKind.Migration => 'M',
        _ => 'K',
    };

    private TracePageFlags FlagsOf(in PageObservation page)
    {
        TracePageFlags flags = PageMapFlagsOf(page);

        // kpageflags and kpagecount show nothing of device memory.
        if (IsCounted(page))
        {
            flags |= (page.IsAnonymous ? TracePageFlags.Anonymous : 0)
                | (page.IsSwapBacked ? TracePageFlags.SwapBacked : 0)
                | (page.IsInSwapCache ? TracePageFlags.SwapCache : 0)
                | (page.IsZeroPage ? TracePageFlags.Zero : 0)
                | (page.IsHugePart ? TracePageFlags.HugePart : 0);
        }

        return flags;
    }

    private static TracePageFlags PageMapFlagsOf(in PageObservation page) =>
        (page.IsFileOrShared ? TracePageFlags.File : 0)
        | (page.IsExclusive ? TracePageFlags.Exclusive : 0)
        | (page.IsSoftDirty ? TracePageFlags.SoftDirty : 0);

    private bool IsCounted(in PageObservation page) => page.Kind == PageEntryKind.Present && !page.IsSpecial && _world.Memory.DeviceOf(page.Frame) is null;

    private int SameDistance(in PageObservation page, int index)
    {
        if (page.Kind is PageEntryKind.None or PageEntryKind.Swap or PageEntryKind.Migration or PageEntryKind.Marker || page.IsZeroPage)
        {
            return 0;
        }

        return _firstPageOfFrame.TryAdd(page.Frame.Value, index) ? 0 : index - _firstPageOfFrame[page.Frame.Value];
    }

    private void LookAtChild()
    {
        if (_world.Child is not { } child)
        {
            Child = null;
            return;
        }

        child.Observe(_world.Region, _child);
        Child ??= new TraceChildRun[_world.PageCount];
        for (int page = 0; page < _child.Length; page++)
        {
            ref PageObservation mine = ref _child[page];
            ref PageObservation parents = ref Raw[page];
            char frame = '.';
            if (mine.Kind != PageEntryKind.None && parents.Kind != PageEntryKind.None)
            {
                bool mineIsSlot = mine.Kind == PageEntryKind.Swap;
                bool same = mineIsSlot == (parents.Kind == PageEntryKind.Swap)
                    && (mineIsSlot ? mine.SwapSlot == parents.SwapSlot : mine.Frame == parents.Frame);
                frame = same ? '=' : '!';
            }

            Child[page] = new TraceChildRun(page, 1, EntryOf(mine), PageMapFlagsOf(mine), frame);
        }
    }

    private void LookAtVmas()
    {
        Vmas.Clear();
        foreach (VmaInfo vma in _world.Parent.Vmas)
        {
            bool isShared = vma.Kind is MappingKind.SharedAnonymous or MappingKind.SharedFile;
            string permissions = ((vma.Protection & Protection.Read) != 0 ? "r" : "-")
                + ((vma.Protection & Protection.Write) != 0 ? "w-" : "--")
                + (isShared ? "s" : "p");
            string kind = vma.Kind switch
            {
                MappingKind.PrivateAnonymous => "anon",
                MappingKind.SharedAnonymous => "anonsh",
                MappingKind.PrivateFile or MappingKind.SharedFile => vma.File.Index == 0 ? "memfd" : "ext2",
                MappingKind.DriverMixed => "mixed",
                _ => vma.Kind.ToString(),
            };
            Vmas.Add(new TraceVma((int)(vma.Range.Start.Value - _world.RegionStart.Value), (int)vma.Range.PageCount, permissions, kind, vma.PageOffset));
        }
    }
}
