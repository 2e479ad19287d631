using HmmFast.Simulation.Captures;
using HmmFast.Simulation.State;

namespace HmmFast.Simulation.Jobs;

/// <summary>
/// The main job: a process stands partly on gpu0, and a NIC of another owner range-faults all of it under the owner-only policy.
/// </summary>
public static class MainJob
{
    /// <summary>Runs it.</summary>
    /// <param name="capture">The process.</param>
    /// <param name="options">What is done.</param>
    /// <param name="progress">Told of pages done, of all pages of all passes.</param>
    /// <param name="implementation">What it runs on; null for the engine.</param>
    /// <param name="reference">What <see cref="MainJobOptions.Verify"/> compares with; null for the reference.</param>
    /// <exception cref="ArgumentException">An option is out of its bounds.</exception>
    /// <exception cref="MainJobException">Memory ran out on the way.</exception>
    /// <exception cref="CaptureException">The process could not be rebuilt.</exception>
    public static MainJobReport Run(
        Capture capture,
        MainJobOptions options,
        IProgress<(ulong Done, ulong Total)>? progress = null,
        Implementation? implementation = null,
        Implementation? reference = null)
    {
        options.Validate();
        capture = AddressCompaction.Fit(capture, out bool isClosed);
        JobPlan plan = JobPlan.Make(capture, options);
        int sides = options.Verify ? 2 : 1;
        Work work = new(progress, (capture.Summary.PopulatedPages * (ulong)sides) + (3 * plan.MappedPages));
        using MainJobRun run = new(implementation ?? Implementation.Engine, capture, plan, options, work.Part());
        CaptureFidelity fidelity = CaptureFidelity.Measure(run.Loaded, capture);
        VerifyReport? verify = null;
        if (options.Verify)
        {
            using MainJobRun other = new(reference ?? Implementation.Reference, capture, plan, options, work.Part());
            verify = RunBoth(run, other, work);
        }
        else
        {
            foreach (JobStep step in run.Steps())
            {
                work.Add((ulong)step.Words.Length);
            }
        }

        return Report(capture, plan, run, fidelity, verify, isClosed);
    }

    /// <summary>Runs two systems call by call and compares each answer; stops at the first difference, after which the answers mean nothing.</summary>
    private static VerifyReport RunBoth(MainJobRun left, MainJobRun right, Work work)
    {
        ulong words = 0;
        string? difference = StateComparison.FirstDifference(left.Memory, right.Memory) is { } before ? $"rebuilding the process: {before}" : null;
        using IEnumerator<JobStep> other = right.Steps().GetEnumerator();
        foreach (JobStep step in left.Steps())
        {
            if (difference is null)
            {
                difference = other.MoveNext() ? JobStep.FirstDifference(step, other.Current) : $"{step.Name} {step.Range}: the other one has ended";
            }

            words += (ulong)step.Words.Length;
            work.Add((ulong)step.Words.Length);
        }

        difference ??= StateComparison.FirstDifference(left.Memory, right.Memory) is { } after ? $"state at the end: {after}" : null;
        return new VerifyReport(difference is null, words, difference, right.CallSeconds);
    }

    /// <summary>System frames with which the job on a process never runs out: what it gets when no number is given.</summary>
    /// <param name="capture">The process.</param>
    /// <exception cref="CaptureException">It has no memory at all.</exception>
    public static ulong EnoughSystemFrames(Capture capture) =>
        CaptureLoader.OptionsFor(AddressCompaction.Fit(capture, out _), trackContent: false).SystemFrameCount;

    private static MainJobReport Report(Capture capture, JobPlan plan, MainJobRun run, CaptureFidelity fidelity, VerifyReport? verify, bool isClosed) => new()
    {
        Process = capture.Facts.ProcessName,
        Captured = capture.Summary,
        Fidelity = fidelity,
        Approximations = isClosed
            ? [.. run.Loaded.Approximations, "Unused address spans of 512 GiB are closed up: page numbers in messages count without them."]
            : run.Loaded.Approximations,
        AnonymousPages = plan.AnonymousPages,
        PagesPlaced = run.PagesPlaced,
        PagesNotPlaced = run.PagesNotPlaced,
        MigrationCalls = run.MigrationCalls,
        PlacingSeconds = run.PlacingSeconds,
        PagesMigratedBack = run.AfterFaults.PagesMigratedToSystem - run.BeforeFaults.PagesMigratedToSystem,
        Faults = run.AfterFaults.Faults - run.BeforeFaults.Faults,
        OwnerLooks = run.OwnerLooks,
        ClientFaults = run.ClientFaults,
        ClientLooks = run.ClientLooks,
        Counters = run.Memory.Counters,
        LoadSeconds = run.LoadSeconds,
        Verify = verify,
    };

    /// <summary>Adds up pages of several parts into one progress.</summary>
    private sealed class Work(IProgress<(ulong Done, ulong Total)>? progress, ulong total)
    {
        private ulong _done;

        public void Add(ulong pages)
        {
            _done += pages;
            progress?.Report((_done, total));
        }

        public IProgress<(ulong, ulong)>? Part() => progress is null ? null : new PartProgress(this);

        private sealed class PartProgress(Work work) : IProgress<(ulong, ulong)>
        {
            private ulong _last;

            public void Report((ulong, ulong) value)
            {
                work.Add(value.Item1 - _last);
                _last = value.Item1;
            }
        }
    }
}
