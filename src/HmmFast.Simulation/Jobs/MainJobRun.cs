using System.Diagnostics;
using HmmFast.Simulation.Captures;

namespace HmmFast.Simulation.Jobs;

/// <summary>The main job on one memory system, call by call. Dispose takes the memory system down.</summary>
internal sealed class MainJobRun : IDisposable
{
    private const int MaxBusyRetries = 1 << 16;

    private readonly MainJobOptions _options;
    private readonly JobPlan _plan;
    private readonly Capture _capture;
    private readonly DeviceId _gpu;
    private readonly ulong _hugeZeroFirst;
    private readonly JobStep _step = new();
    private readonly HmmPfn[] _words;

    public MainJobRun(Implementation implementation, Capture capture, JobPlan plan, MainJobOptions options, IProgress<(ulong, ulong)>? progress)
    {
        _options = options;
        _plan = plan;
        _capture = capture;
        _words = new HmmPfn[Math.Max(plan.MaxCallPages, options.RunPages)];
        MemorySystemOptions memoryOptions = CaptureLoader.OptionsFor(capture, trackContent: options.Verify);
        Memory = implementation.Create(memoryOptions with { SystemFrameCount = options.SystemFrames ?? memoryOptions.SystemFrameCount });
        try
        {
            _gpu = Memory.AddDevice(new DeviceOptions
            {
                Name = "gpu0",
                Owner = GpuOwner,
                PageCount = options.DevicePages ?? Math.Max(PageOrder.PagesPerBlock, plan.AnonymousPages),
            });
            _hugeZeroFirst = Memory.DeviceFrames(_gpu).First.Value - PageOrder.PagesPerBlock;
            long started = Stopwatch.GetTimestamp();
            Loaded = CaptureLoader.Load(Memory, capture, progress);
            LoadSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        }
        catch
        {
            Memory.Dispose();
            throw;
        }
    }

    /// <summary>Owner of gpu0's memory.</summary>
    public static OwnerId GpuOwner { get; } = new(1);

    /// <summary>nic0's owner: another one, so that nothing of gpu0 is handed to it.</summary>
    public static OwnerId NicOwner { get; } = new(2);

    public IMemorySystem Memory { get; }

    public LoadedCapture Loaded { get; }

    public double LoadSeconds { get; }

    public ulong PagesPlaced { get; private set; }

    public ulong PagesNotPlaced { get; private set; }

    public ulong MigrationCalls { get; private set; }

    public double PlacingSeconds { get; private set; }

    public PassReport OwnerLooks { get; } = new() { Name = "gpu0 looks" };

    public PassReport ClientFaults { get; } = new() { Name = "nic0 faults" };

    public PassReport ClientLooks { get; } = new() { Name = "nic0 looks again" };

    /// <summary>Counters when nic0 began.</summary>
    public MemoryCounters BeforeFaults { get; private set; }

    /// <summary>Counters when nic0 had faulted everything.</summary>
    public MemoryCounters AfterFaults { get; private set; }

    /// <summary>Seconds inside calls.</summary>
    public double CallSeconds => PlacingSeconds + OwnerLooks.Seconds + ClientFaults.Seconds + ClientLooks.Seconds;

    /// <summary>Does the job, one call a step; the step is valid until the next one.</summary>
    /// <exception cref="MainJobException">Memory ran out, or a call failed for good.</exception>
    public IEnumerable<JobStep> Steps()
    {
        if (_plan.Placed.Count > 0)
        {
            MigrateVma migration = new(new VpnRange(new Vpn(0), _options.RunPages), MigrateVmaFlags.SelectSystem, GpuOwner);
            foreach (VpnRange range in _plan.Placed)
            {
                yield return Place(migration, range);
            }
        }

        foreach (JobStep step in Walk(_plan.Looks, GpuOwner, OwnerLooks))
        {
            yield return step;
        }

        BeforeFaults = Memory.Counters;
        foreach (JobStep step in Walk(_plan.Faults, NicOwner, ClientFaults))
        {
            yield return step;
        }

        AfterFaults = Memory.Counters;
        foreach (JobStep step in Walk(_plan.Looks, NicOwner, ClientLooks))
        {
            yield return step;
        }
    }

    public void Dispose() => Memory.Dispose();

    /// <summary>Moves what stands in a run to gpu0; empty and zero pages are left where they are.</summary>
    private JobStep Place(MigrateVma migration, VpnRange range)
    {
        IAddressSpace space = Loaded.Space;
        migration.Reset(range, MigrateVmaFlags.SelectSystem, GpuOwner);
        long started = Stopwatch.GetTimestamp();
        HmmStatus status = space.MigrateVmaSetup(migration);
        if (status == HmmStatus.Ok)
        {
            GiveDestinations(migration);
            space.MigrateVmaPages(migration);
            ReleaseUnused(migration);
            space.MigrateVmaFinalize(migration);
        }

        PlacingSeconds += Stopwatch.GetElapsedTime(started).TotalSeconds;
        MigrationCalls++;
        return Step("placing", range, status, default, migration);
    }

    private void GiveDestinations(MigrateVma migration)
    {
        for (int i = 0; i < (int)migration.Range.PageCount; i++)
        {
            MigratePfn source = migration.Source[i];
            if (!source.IsMigrating || !source.IsValid)
            {
                PagesNotPlaced += source.IsValid ? 1UL : 0;
                continue;
            }

            if (Memory.TryAllocateDevicePage(_gpu, out Pfn page) != HmmStatus.Ok)
            {
                PagesNotPlaced++;
                continue;
            }

            if (_options.Verify)
            {
                Memory.WriteContent(page, Memory.ReadContent(source.Pfn));
            }

            migration.Destination[i] = MigratePfn.Of(page, migrating: true, source.IsWritable);
        }
    }

    private void ReleaseUnused(MigrateVma migration)
    {
        for (int i = 0; i < (int)migration.Range.PageCount; i++)
        {
            if (!migration.Destination[i].IsValid)
            {
                continue;
            }

            if (migration.Source[i].IsMigrating)
            {
                PagesPlaced++;
            }
            else
            {
                Memory.ReleasePage(migration.Destination[i].Pfn);
                migration.Destination[i] = MigratePfn.None;
                PagesNotPlaced++;
            }
        }
    }

    private IEnumerable<JobStep> Walk(List<JobPlan.Extent> extents, OwnerId owner, PassReport report)
    {
        IMmuIntervalNotifier? notifier = null;
        int vmaIndex = -1;
        try
        {
            foreach (JobPlan.Extent extent in extents)
            {
                if (extent.VmaIndex != vmaIndex)
                {
                    notifier?.Dispose();
                    vmaIndex = extent.VmaIndex;
                    notifier = Loaded.Space.InsertNotifier(_capture.Vmas[vmaIndex].Range, null);
                }

                HmmStatus status = Ask(extent, extent.Request, owner, notifier!, report);
                if (status != HmmStatus.Ok && extent.Request != HmmRequestFlags.None)
                {
                    // What cannot be brought as a whole is looked at, so that the count says what each page is.
                    report.FailedCalls++;
                    status = Ask(extent, HmmRequestFlags.None, owner, notifier!, report);
                }

                Memory<HmmPfn> words = _words.AsMemory(0, (int)extent.Range.PageCount);
                PageOutcomes outcomes = report.Outcomes;
                outcomes.Count(words.Span, Memory.Options.Layout, _hugeZeroFirst);
                report.Outcomes = outcomes;
                yield return Step(report.Name, extent.Range, status, words, null);
            }
        }
        finally
        {
            notifier?.Dispose();
        }
    }

    private HmmStatus Ask(JobPlan.Extent extent, HmmRequestFlags request, OwnerId owner, IMmuIntervalNotifier notifier, PassReport report)
    {
        Span<HmmPfn> words = _words.AsSpan(0, (int)extent.Range.PageCount);
        words.Clear();
        long started = Stopwatch.GetTimestamp();
        HmmStatus status = HmmStatus.Busy;
        for (int tries = 0; status == HmmStatus.Busy; tries++)
        {
            if (tries > MaxBusyRetries)
            {
                throw new MainJobException($"{report.Name} {extent.Range}: still EBUSY after {MaxBusyRetries} tries.");
            }

            report.BusyRetries += tries > 0 ? 1UL : 0;
            report.Calls++;
            HmmRange range = new()
            {
                Range = extent.Range,
                Notifier = notifier,
                NotifierSequence = notifier.ReadBegin(),
                DefaultFlags = request,
                Owner = owner,
                FaultHabit = _options.FaultHabit,
            };
            status = Loaded.Space.RangeFault(range, words);
        }

        report.Seconds += Stopwatch.GetElapsedTime(started).TotalSeconds;
        return status != HmmStatus.OutOfMemory
            ? status
            : throw new MainJobException(
                $"{report.Name} {extent.Range}: out of system memory, {Memory.FreeSystemFrameCount} of {Memory.Options.SystemFrameCount} frames free.");
    }

    private JobStep Step(string name, VpnRange range, HmmStatus status, ReadOnlyMemory<HmmPfn> words, MigrateVma? migration)
    {
        _step.Name = name;
        _step.Range = range;
        _step.Status = status;
        _step.Words = words;
        _step.Migration = migration;
        return _step;
    }
}
