namespace HmmFast.Drivers.Mirror;

/// <summary>
/// The smallest complete device driver: it mirrors one address space into a page table of its own, reads and writes memory through that
/// table, moves pages to its memory and back, and holds pages exclusively. Read it as the example of how a driver uses the library.
/// </summary>
/// <remarks>
/// <para>The three duties of an HMM driver are all here. It keeps its table in step with the CPU's by an interval notifier
/// (<see cref="Invalidate"/>). It fills the table by range faults that it repeats while the notifier's sequence is stale (MirrorDevice.Access.cs).
/// It moves pages by the migrate_vma calls and gives them back when the CPU touches them (MirrorDevice.Migration.cs).</para>
/// <para>Commands take a byte address and a page count, as an ioctl would, and answer <see cref="HmmStatus.Invalid"/> for an empty, unaligned or
/// wrapping range. A caller's buffer that cannot hold the answer plays the part of a bad user pointer: the command does its work and
/// then fails with <see cref="HmmStatus.Fault"/>. Work is cut into chunks of <see cref="ChunkPageCount"/> pages from the start of the command.</para>
/// <para>A command that needs the address space throws <see cref="InvalidOperationException"/> while none is attached. Source: the rules of the kernel's own HMM test driver
/// (lib/test_hmm), whose answers are the recordings: chunks, what is counted, and that an invalidation drops one page more than it names. Cost: a dictionary entry a mirrored page, looked up
/// page by page; it is an example, for speed see <see cref="Importing.PageImporter"/>.</para>
/// </remarks>
public sealed partial class MirrorDevice : IDevicePagemapOps, IInvalidationHandler, IDisposable
{
    /// <summary>Pages a single range fault or migration of this driver takes.</summary>
    public const int ChunkPageCount = 64;

    // A range fault that stays stale this often means that somebody invalidates without end; a real driver gives up after a second.
    private const int RetryLimit = 1000;

    private readonly IMemorySystem _memory;
    private readonly HmmPfnLayout _layout;
    private readonly Dictionary<ulong, MirrorEntry> _mirror = [];
    private readonly List<ulong> _dropped = [];
    private IAddressSpace? _space;
    private IMmuIntervalNotifier? _notifier;

    /// <summary>Registers the device and its memory.</summary>
    /// <param name="memory">The memory system; it must track content, since this driver copies it.</param>
    /// <param name="name">For people.</param>
    /// <param name="pageCount">Pages of device memory.</param>
    /// <param name="owner">The pagemap's owner.</param>
    /// <param name="kind">Private or coherent memory.</param>
    /// <exception cref="ArgumentException">Content is not tracked, or the memory system refuses the device.</exception>
    public MirrorDevice(IMemorySystem memory, string name, ulong pageCount, OwnerId owner, DeviceMemoryKind kind)
    {
        ArgumentNullException.ThrowIfNull(memory);
        if (!memory.Options.TrackContent)
        {
            throw new ArgumentException("The mirror device copies page content; make the memory system with TrackContent = true.", nameof(memory));
        }

        _memory = memory;
        _layout = memory.Options.Layout;
        Owner = owner;
        Kind = kind;
        Id = memory.AddDevice(new DeviceOptions { Name = name, PageCount = pageCount, Owner = owner, Kind = kind, Ops = this });
        _migration = new MigrateVma(new VpnRange(memory.Options.Window.Start, ChunkPageCount), MigrateVmaFlags.None, owner);
    }

    /// <summary>The device in its memory system.</summary>
    public DeviceId Id { get; }

    /// <summary>The owner of its pages.</summary>
    public OwnerId Owner { get; }

    /// <summary>Private or coherent.</summary>
    public DeviceMemoryKind Kind { get; }

    /// <summary>How far this driver's faults go.</summary>
    public FaultHabit FaultHabit { get; set; }

    /// <summary>Entries in the mirror table.</summary>
    public int MirroredPageCount => _mirror.Count;

    private IAddressSpace Space => _space ?? throw new InvalidOperationException("The device is not attached to an address space.");

    private IMmuIntervalNotifier Notifier => _notifier ?? throw new InvalidOperationException("The device is not attached to an address space.");

    /// <summary>Opens the device for an address space: from here on every invalidation there reaches the mirror table.</summary>
    /// <param name="space">The address space; of the device's memory system.</param>
    /// <exception cref="InvalidOperationException">It is attached already.</exception>
    public void Attach(IAddressSpace space)
    {
        ArgumentNullException.ThrowIfNull(space);
        if (_space is not null)
        {
            throw new InvalidOperationException("The device mirrors one address space and is attached already.");
        }

        _notifier = space.InsertNotifier(_memory.Options.Window, this);
        _space = space;
    }

    /// <summary>Closes the device: the notifier goes, the mirror table is emptied. Pages in its memory stay until they are touched or unmapped.</summary>
    public void Dispose()
    {
        _notifier?.Dispose();
        _notifier = null;
        _space = null;
        _mirror.Clear();
    }

    /// <inheritdoc/>
    /// <remarks>A migration that this device started is ignored: the migration itself replaces the entries, and those that did not move stay right.</remarks>
    public bool Invalidate(IMmuIntervalNotifier notifier, in InvalidationInfo info)
    {
        if (info.Event == InvalidationEvent.Migrate && info.Owner == Owner)
        {
            return false;
        }

        // The stock driver erases one page more than was invalidated (it takes the end as inclusive), and the recordings show it.
        ulong end = Math.Min(info.Range.End.Value + 1, VpnRange.LimitVpn);
        DropEntries(VpnRange.FromBounds(info.Range.Start, new Vpn(end)));
        return true;
    }

    /// <inheritdoc/>
    /// <remarks>
    /// The migration back carried this device's owner, so the notifier ignored it; the entry goes here. It goes whichever address space faulted: the
    /// device looks only at the address, since a page shared with a child comes back for both.
    /// </remarks>
    public void MigratedToRam(IAddressSpace space, Vpn vpn, Pfn devicePage, Pfn systemPage) => _mirror.Remove(vpn.Value);

    /// <inheritdoc/>
    public void PageFreed(Pfn devicePage)
    {
        // The memory system keeps the free pages; this driver has no state of its own for one.
    }

    private void DropEntries(VpnRange range)
    {
        if (range.PageCount <= (ulong)_mirror.Count)
        {
            for (ulong vpn = range.Start.Value; vpn < range.End.Value; vpn++)
            {
                _mirror.Remove(vpn);
            }

            return;
        }

        foreach (ulong vpn in _mirror.Keys)
        {
            if (range.Contains(new Vpn(vpn)))
            {
                _dropped.Add(vpn);
            }
        }

        foreach (ulong vpn in _dropped)
        {
            _mirror.Remove(vpn);
        }

        _dropped.Clear();
    }

    /// <summary>Turns a command's arguments into pages; false for the ranges an ioctl refuses, and for those outside the address space's window.</summary>
    private bool TryGetRange(ulong addressBytes, ulong pageCount, out VpnRange range)
    {
        range = default;
        ulong sizeBytes = unchecked(pageCount * PageOrder.PageSizeBytes);
        ulong endBytes = unchecked(addressBytes + sizeBytes);
        if (addressBytes % PageOrder.PageSizeBytes != 0 || endBytes <= addressBytes || sizeBytes / PageOrder.PageSizeBytes != pageCount)
        {
            return false;
        }

        VpnRange window = _memory.Options.Window;
        ulong first = addressBytes / PageOrder.PageSizeBytes;
        if (first < window.Start.Value || first >= window.End.Value || pageCount > window.End.Value - first)
        {
            return false;
        }

        range = new VpnRange(new Vpn(first), pageCount);
        return true;
    }

    /// <summary>The part of <paramref name="range"/> from <paramref name="offset"/> on, at most one chunk.</summary>
    private static VpnRange ChunkOf(VpnRange range, ulong offset) =>
        new(range.Start + offset, Math.Min(ChunkPageCount, range.PageCount - offset));
}
