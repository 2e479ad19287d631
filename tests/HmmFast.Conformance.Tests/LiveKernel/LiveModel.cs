using HmmFast.Simulation.Traces;

namespace HmmFast.Conformance.Tests.LiveKernel;

/// <summary>One implementation that does everything the live process does.</summary>
internal sealed class LiveModel : IDisposable
{
    private const ulong WindowStart = 64UL << 18;
    private readonly Vpn _start;
    private readonly int _pageCount;
    private readonly FileId _file;

    internal LiveModel(ConformanceEngine engine, int pageCount, int pmdOffset, int filePageCount)
    {
        Name = engine.Name;
        _pageCount = pageCount;
        _start = new Vpn(WindowStart + (ulong)pmdOffset);

        // No swap: what the live machine has of it is its own affair, and page-out is not driven.
        Memory = engine.Create(new MemorySystemOptions
        {
            SystemFrameCount = 32768,
            SwapSlotCount = 0,
            Window = new VpnRange(new Vpn(WindowStart), 4096),
            TrackContent = true,
        });
        _file = Memory.CreateFile(new FileOptions { Kind = FileKind.Memfd, PageCount = (ulong)filePageCount, InitialTag = LiveProcess.InitialTag });
        Parent = Memory.CreateAddressSpace();
    }

    internal string Name { get; }

    internal IMemorySystem Memory { get; }

    internal IAddressSpace Parent { get; }

    internal IAddressSpace? Child { get; set; }

    public void Dispose()
    {
        Child?.Dispose();
        Parent.Dispose();
        Memory.Dispose();
    }

    internal VpnRange Range(int page, int count) => new(_start + (ulong)page, (ulong)count);

    internal HmmStatus Map(int page, int count, Protection protection, MappingKind kind, ulong pageOffset) =>
        Parent.Map(Range(page, count), protection, kind, kind is MappingKind.PrivateFile or MappingKind.SharedFile ? _file : FileId.None, pageOffset);

    /// <summary>What the model shows, in the words of the live process.</summary>
    internal LivePage[] Observe(bool withFrames)
    {
        LivePage[] pages = new LivePage[Child is null ? _pageCount : 2 * _pageCount];
        Dictionary<Pfn, int> firstOfFrame = [];
        Observe(Parent, pages.AsSpan(0, _pageCount), 0, withFrames, firstOfFrame);
        if (Child is not null)
        {
            Observe(Child, pages.AsSpan(_pageCount), _pageCount, withFrames, firstOfFrame);
        }

        return pages;
    }

    internal List<(int Page, int Count, string Permissions)> Vmas() =>
    [
        .. Parent.Vmas.Select(vma => (
            (int)(vma.Range.Start - _start),
            (int)vma.Range.PageCount,
            ((vma.Protection & Protection.Read) != 0 ? "r" : "-")
                + ((vma.Protection & Protection.Write) != 0 ? "w-" : "--")
                + (vma.Kind is MappingKind.SharedAnonymous or MappingKind.SharedFile ? "s" : "p"))),
    ];

    private void Observe(IAddressSpace space, Span<LivePage> pages, int firstIndex, bool withFrames, Dictionary<Pfn, int> firstOfFrame)
    {
        PageObservation[] seen = new PageObservation[_pageCount];
        space.Observe(Range(0, _pageCount), seen);
        for (int page = 0; page < _pageCount; page++)
        {
            PageObservation one = seen[page];
            bool isPresent = one.Kind == PageEntryKind.Present;
            int sharesWith = -1;
            if (isPresent && withFrames && !firstOfFrame.TryGetValue(one.Frame, out sharesWith))
            {
                sharesWith = firstIndex + page;
                firstOfFrame.Add(one.Frame, sharesWith);
            }

            pages[page] = new LivePage(isPresent, one.IsExclusive, one.IsZeroPage, one.IsHugeMapped, isPresent && withFrames ? sharesWith : -1)
                .Comparable(_start.Value + (ulong)page);
        }
    }
}
