using HmmFast.Dma;
using HmmFast.Drivers.Fabric;
using HmmFast.Drivers.Importing;
using HmmFast.Drivers.Moving;

namespace HmmFast.Drivers.Devices;

/// <summary>A GPU with shared virtual memory: it faults ranges, may move them to its own memory first, and gives memory back under pressure.</summary>
/// <remarks>
/// Stands for GPU drivers over <c>drm_gpusvm</c>: a fault takes the whole aligned range around it, tries to migrate it a few times, evicts other ranges by a clock hand where memory is full, and maps
/// what is there in the end, wherever it lies. Counts are in 4 KiB pages. Cost: a look at its table for each range, and for a fault the moves of <see cref="PageMover"/> and a request to the
/// importer. Throws as <see cref="PageImporter"/> does. Not safe for concurrent calls.
/// </remarks>
public sealed class SvmGpu : IDisposable
{
    private readonly IAddressSpace _space;
    private readonly SvmGpuOptions _gpu;
    private readonly PageMover _mover;
    private ulong _hand;

    /// <summary>Attaches the GPU to an address space.</summary>
    /// <param name="space">The address space.</param>
    /// <param name="fabric">The devices.</param>
    /// <param name="member">Which of them is the GPU.</param>
    /// <param name="dma">Its DMA API.</param>
    /// <param name="registration">The pages it may fault.</param>
    /// <param name="gpu">How it handles faults; null for the defaults.</param>
    /// <param name="options">How it asks; null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">A range has no pages, or the registration is none.</exception>
    /// <exception cref="NotSupportedException">The GPU would need bouncing or syncing.</exception>
    /// <exception cref="InsufficientMemoryException">No IOVA range is long enough.</exception>
    public SvmGpu(
        IAddressSpace space,
        DeviceFabric fabric,
        int member,
        IDmaDevice dma,
        VpnRange registration,
        SvmGpuOptions? gpu = null,
        ImporterOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(space);
        _space = space;
        _gpu = gpu ?? new SvmGpuOptions();
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(_gpu.RangePageCount);
        _mover = new PageMover(space.Memory);
        Importer = new PageImporter(space, fabric, member, dma, registration, options);
    }

    /// <summary>Its mapping half.</summary>
    public PageImporter Importer { get; }

    /// <summary>Faults of the hardware: ranges it had to ask for.</summary>
    public ulong Faults { get; private set; }

    /// <summary>Pages moved to its memory.</summary>
    public ulong PagesMovedIn { get; private set; }

    /// <summary>Pages moved out of its memory.</summary>
    public ulong PagesMovedOut { get; private set; }

    /// <summary>Tries at migrating that did not move the whole range.</summary>
    public ulong FailedMigrations { get; private set; }

    /// <summary>Ranges evicted to make room.</summary>
    public ulong Evictions { get; private set; }

    /// <summary>migrate_vma calls that collected pages.</summary>
    public ulong Migrations => _mover.Migrations;

    /// <summary>Accesses a range: its parts that are not mapped fault, one range after the other, going on after one that fails.</summary>
    /// <param name="range">Inside the registration; empty is Ok.</param>
    /// <returns>The first status of <see cref="PageImporter.Resolve"/> that is not Ok, else Ok; a migration that fails is counted, not reported.</returns>
    public HmmStatus Access(VpnRange range)
    {
        HmmStatus result = HmmStatus.Ok;
        ulong size = (ulong)_gpu.RangePageCount;
        Vpn next = range.Start;
        while (next < range.End)
        {
            ulong end = Math.Min(((next.Value / size) + 1) * size, range.End.Value);
            VpnRange piece = VpnRange.FromBounds(next, new Vpn(end));
            if (!Importer.HoldsAll(piece))
            {
                Faults++;
                HmmStatus status = Fault(piece);
                result = result == HmmStatus.Ok ? status : result;
            }

            next = piece.End;
        }

        return result;
    }

    /// <summary>Moves system pages of a range to the GPU's memory.</summary>
    /// <param name="range">The pages.</param>
    /// <returns>Ok; OutOfMemory when its memory is full: what moved stays; NotSupported without memory of its own.</returns>
    public HmmStatus MoveIn(VpnRange range)
    {
        if (Importer.Fabric.DeviceOf(Importer.Member) is not { } device)
        {
            return HmmStatus.NotSupported;
        }

        HmmStatus status = _mover.ToDevice(_space, range, device, out ulong moved);
        PagesMovedIn += moved;
        return status;
    }

    /// <summary>Gives a range's pages back to system memory, as under memory pressure.</summary>
    /// <param name="range">The pages.</param>
    /// <returns>Ok; OutOfMemory when no system frame is left: what moved stays; NotSupported without memory of its own.</returns>
    public HmmStatus EvictToRam(VpnRange range)
    {
        if (Importer.Fabric.DeviceOf(Importer.Member) is not { } device)
        {
            return HmmStatus.NotSupported;
        }

        HmmStatus status = _mover.ToSystem(_space, range, device, out ulong moved);
        PagesMovedOut += moved;
        return status;
    }

    /// <inheritdoc/>
    public void Dispose() => Importer.Dispose();

    private HmmStatus Fault(VpnRange piece)
    {
        if (_gpu.MigratesOnFault)
        {
            int evictions = 0;
            for (int attempt = 0; attempt < _gpu.MigrationTryLimit && MoveIn(piece) != HmmStatus.Ok; attempt++)
            {
                FailedMigrations++;
                if (evictions++ >= _gpu.EvictLimit || !TryEvictOther(piece))
                {
                    break;
                }
            }
        }

        return Importer.Resolve(piece);
    }

    /// <summary>Evicts the next range under the clock hand that is not the one being faulted.</summary>
    /// <returns>True when pages moved.</returns>
    private bool TryEvictOther(VpnRange piece)
    {
        ulong size = (ulong)_gpu.RangePageCount;
        VpnRange all = Importer.Registration;
        for (ulong step = 0; step <= all.PageCount / size; step++)
        {
            if (_hand >= all.PageCount)
            {
                _hand = 0;
            }

            VpnRange victim = new(all.Start + _hand, Math.Min(size, all.PageCount - _hand));
            _hand += size;
            ulong before = PagesMovedOut;
            if (!victim.Overlaps(piece) && EvictToRam(victim) == HmmStatus.Ok && PagesMovedOut != before)
            {
                Evictions++;
                return true;
            }
        }

        return false;
    }
}
