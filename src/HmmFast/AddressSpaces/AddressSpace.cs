using HmmFast.Notifiers;
using HmmFast.Physical;

namespace HmmFast.AddressSpaces;

/// <summary>
/// One process's memory: VMAs, page table columns, notifiers. The rooms below work on it; what callers see is the handle in front of it, which checks
/// every range and use after exit. Split by operation over several files.
/// </summary>
internal sealed unsafe partial class AddressSpace : IDisposable
{
    private const ulong BlockPages = PageOrder.PagesPerBlock;

    private static readonly VpnRange Everything = new(default, VpnRange.LimitVpn);

    private readonly MemoryCore _core;
    private readonly PhysicalMemory _physical;
    private readonly FrameTable _frames;
    private readonly PageClassTable _classes;
    private readonly PageColumns _columns;
    private readonly VmaList _vmas;

    // The address spaces that forks made out of one: frames are shared among them only.
    private readonly List<AddressSpace> _family;

    // Class and pfn columns, indexed by page number (biased).
    private readonly byte* _class;
    private readonly uint* _pfn;
    private readonly BlockDescriptor* _block;

    public AddressSpace(MemoryCore core, AddressSpace? parent = null)
    {
        _core = core;
        _physical = core.Physical;
        _frames = core.Physical.Frames;
        _classes = core.Classes;
        _columns = new PageColumns(core.Options.Window, core.Ledger);
        _vmas = new VmaList(core, this);
        _class = _columns.Class;
        _pfn = _columns.Pfn;
        _block = _columns.Block;
        _family = parent?._family ?? [];
        _family.Add(this);
        core.Spaces.Add(this);
    }

    public MemoryCore Core => _core;

    public PageColumns Columns => _columns;

    public VmaList VmaList => _vmas;

    public NotifierSet Notifiers { get; } = new();

    /// <summary>Marks migrations of this address space whose pages have moved.</summary>
    public MigrationMark Moved { get; } = new();

    public bool IsDisposed { get; private set; }

    /// <summary>What callers know this address space as; handed to pagemap drivers.</summary>
    public IAddressSpace? Handle { get; set; }

    public IReadOnlyList<VmaInfo> DescribeVmas()
    {
        var infos = new VmaInfo[_vmas.Count];
        for (int i = 0; i < infos.Length; i++)
        {
            Vma vma = _vmas[i];
            infos[i] = new VmaInfo(vma.Range, vma.Protection, vma.Kind, vma.FileId, vma.IsAnonymous ? 0 : vma.PageOffset);
        }

        return infos;
    }

    /// <summary>The process ends: notifiers hear of it, everything is unmapped, the columns are freed.</summary>
    public void Exit()
    {
        if (IsDisposed)
        {
            return;
        }

        Invalidate(Everything, InvalidationEvent.Release);
        for (int i = 0; i < _vmas.Count; i++)
        {
            Zap(_vmas[i].Start, _vmas[i].End);
        }

        _vmas.Remove(0, ulong.MaxValue);
        _core.Reap();
        Notifiers.RemoveAll();
        IsDisposed = true;
        _family.Remove(this);
        _core.Spaces.Remove(this);
        _columns.Dispose();
    }

    /// <summary>Frees the columns without looking at them: the whole memory system goes.</summary>
    public void Dispose()
    {
        if (!IsDisposed)
        {
            IsDisposed = true;
            Notifiers.RemoveAll();
            _columns.Dispose();
        }
    }

    internal void Invalidate(VpnRange range, InvalidationEvent why, OwnerId owner = default)
    {
        _core.Counters.Invalidations++;
        Notifiers.Invalidate(new InvalidationInfo(range, why, owner));
    }

    private void InvalidatePage(ulong vpn, InvalidationEvent why, OwnerId owner = default) => Invalidate(new VpnRange(new Vpn(vpn), 1), why, owner);

    /// <summary>The reverse map's index column holds 32 bits: anonymous indices count from the window's start, modulo 2^32.</summary>
    private uint IndexOf(Vma vma, ulong vpn) => (uint)(vma.IndexOf(vpn) - _core.Options.Window.Start.Value);

    private PageClass ClassAt(ulong vpn, out uint number) => _classes[_columns.EntryAt(vpn, out number)];

    private void SetEntry(ulong vpn, byte pageClass, uint number)
    {
        _class[vpn] = pageClass;
        _pfn[vpn] = number;
    }
}
