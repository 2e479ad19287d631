using FsCheck;
using FsCheck.Fluent;

namespace HmmFast.Properties.Equivalence;

/// <summary>Engine and reference answer alike, at every width.</summary>
public static class EquivalenceChecks
{
    private static readonly OperationKind[] CoreKinds =
    [
        OperationKind.Map, OperationKind.Unmap, OperationKind.Protect, OperationKind.DontNeed, OperationKind.CpuRead, OperationKind.CpuWrite,
        OperationKind.RangeFault, OperationKind.RangeFaultPerPage, OperationKind.MigrateToDevice, OperationKind.MigrateToSystem,
        OperationKind.HugePage, OperationKind.DeviceWrite, OperationKind.MoveNotifier,
    ];

    // What makes read-only, shared and exclusive device entries, close together: rare in the wider mixes.
    private static readonly OperationKind[] DeviceKinds =
    [
        OperationKind.Map, OperationKind.Protect, OperationKind.CpuRead, OperationKind.CpuWrite, OperationKind.Fork, OperationKind.Exit,
        OperationKind.RangeFault, OperationKind.RangeFaultPerPage, OperationKind.MigrateToDevice, OperationKind.MigrateToSystem, OperationKind.MakeExclusive,
        OperationKind.MigrateAcross,
    ];

    // What may come between the steps of a migration.
    private static readonly OperationKind[] MigrationKinds =
    [
        OperationKind.Map, OperationKind.MapWindow, OperationKind.Unmap, OperationKind.Protect, OperationKind.DontNeed, OperationKind.PageOut, OperationKind.Remap,
        OperationKind.Fork, OperationKind.Exit, OperationKind.CpuRead, OperationKind.CpuWrite, OperationKind.RangeFault, OperationKind.RangeFaultPerPage,
        OperationKind.MigrateToDevice, OperationKind.BeginMigration, OperationKind.MovePages, OperationKind.FinishMigration,
    ];

    // What ends pages that HMM can give.
    private static readonly OperationKind[] FailureKinds =
    [
        OperationKind.Map, OperationKind.Unmap, OperationKind.Protect, OperationKind.DontNeed, OperationKind.Free, OperationKind.PageOut, OperationKind.Remap,
        OperationKind.Fork, OperationKind.CpuRead, OperationKind.CpuWrite, OperationKind.HugePage, OperationKind.RangeFault, OperationKind.RangeFaultPerPage,
        OperationKind.MigrateToDevice, OperationKind.Poison, OperationKind.InsertMixed,
    ];

    private static readonly OperationKind[] BorderKinds =
    [
        OperationKind.Map, OperationKind.Protect, OperationKind.DontNeed, OperationKind.CpuRead, OperationKind.CpuWrite, OperationKind.Fork, OperationKind.Exit,
        OperationKind.RangeFault, OperationKind.RangeFaultPerPage, OperationKind.MigrateToDevice, OperationKind.MigrateToSystem, OperationKind.MigrateAcross,
    ];

    private static readonly OperationKind[] ColumnKinds =
    [
        OperationKind.Map, OperationKind.Unmap, OperationKind.Protect, OperationKind.DontNeed, OperationKind.PageOut, OperationKind.CpuRead, OperationKind.CpuWrite,
        OperationKind.Fork, OperationKind.HugePage, OperationKind.RangeFault, OperationKind.MigrateToDevice, OperationKind.MigrateToSystem, OperationKind.MigrateAcross,
        OperationKind.Extents, OperationKind.Batch, OperationKind.Classify, OperationKind.Poison, OperationKind.InsertMixed, OperationKind.BeginMigration,
    ];

    private static readonly OperationKind[] HugeKinds =
    [
        OperationKind.MapWindow, OperationKind.Protect, OperationKind.CpuRead, OperationKind.CpuWrite, OperationKind.Fork, OperationKind.DontNeed,
        OperationKind.RangeFault, OperationKind.RangeFaultPerPage, OperationKind.MigrateToDevice, OperationKind.HugePage, OperationKind.Collapse,
    ];

    private static readonly Operation[] MappedWindow = [new(OperationKind.MapWindow, 0, 0, 0, 0, 0)];

    // Pages on both sides of a border from the start: what comes back from there is rarer than what goes there.
    private static readonly Operation[] BorderWindow = [.. MappedWindow, new(OperationKind.MigrateAcross, 0, 0, 0, 0, 5)];

    // One file's pages at two places, written and collected through the first: whoever wants one meanwhile finds it by the file.
    private static readonly Operation[] FileWindow =
    [
        .. MappedWindow, new(OperationKind.Map, 0, 0, (11 * 8) + 2, 2, 3), new(OperationKind.Map, 0, 20, (11 * 8) + 2, 2, 3),
        new(OperationKind.CpuWrite, 0, 0, (11 * 8) + 2, 0, 0), new(OperationKind.BeginMigration, 0, 0, (11 * 8) + 2, 0, 2),
    ];

    // Pages that two processes share: what befalls one must show in the other.
    private static readonly Operation[] SharedWindow =
        [.. MappedWindow, new(OperationKind.CpuWrite, 0, 0, (47 * 8) + 7, 0, 0), new(OperationKind.Fork, 0, 0, 0, 0, 0)];

    private static readonly Operation[] HugeWindow =
        [.. MappedWindow, new(OperationKind.HugePage, 0, 1, 1, 0, 0), new(OperationKind.CpuWrite, 0, 300, (150 * 8) + 5, 0, 0)];

    /// <summary>The checks: over everything, over the core, over device entries and over 2 MiB entries alone, for each width, best first.</summary>
    public static IReadOnlyList<NamedCheck> All { get; } = [.. Checks()];

    private static IEnumerable<NamedCheck> Checks()
    {
        // Planted faults name those without a width, whatever machine they run on.
        foreach ((string suffix, Subject subject) in Subject.Engines.Select(engine => ($"-{engine.Name}", engine)).Prepend(("", Subject.Engines[0])))
        {
            yield return new NamedCheck(
                $"equivalence{suffix}",
                $"random operations answer alike on the engine ({subject.Name}) and the reference",
                300,
                run => Hold(run, ScriptGenerator.Scripts(prologue: MappedWindow), subject));
            yield return new NamedCheck(
                $"equivalence-core{suffix}",
                $"map, access, range-fault and migration operations answer alike on the engine ({subject.Name}) and the reference",
                300,
                run => Hold(run, ScriptGenerator.Scripts(Among(CoreKinds), MappedWindow), subject));
            yield return new NamedCheck(
                $"equivalence-device{suffix}",
                $"operations that make and break device entries answer alike on the engine ({subject.Name}) and the reference",
                300,
                run => Hold(run, ScriptGenerator.Scripts(Among(DeviceKinds), MappedWindow), subject));
            yield return new NamedCheck(
                $"equivalence-huge{suffix}",
                $"operations that make and break 2 MiB entries answer alike on the engine ({subject.Name}) and the reference",
                100,
                run => Hold(run, ScriptGenerator.Scripts(Among(HugeKinds), HugeWindow, shape => shape & ~3), subject));
            yield return new NamedCheck(
                $"equivalence-migration{suffix}",
                $"operations between the steps of migrations answer alike on the engine ({subject.Name}) and the reference",
                300,
                run => Hold(run, ScriptGenerator.Scripts(Among(MigrationKinds), FileWindow), subject));
            yield return new NamedCheck(
                $"equivalence-failure{suffix}",
                $"operations on pages that failed or have no struct page answer alike on the engine ({subject.Name}) and the reference",
                300,
                run => Hold(run, ScriptGenerator.Scripts(Among(FailureKinds), SharedWindow), subject));
            yield return new NamedCheck(
                $"equivalence-border{suffix}",
                $"migrations over pagemaps whose frames meet answer alike on the engine ({subject.Name}) and the reference",
                900,
                run => Hold(run, ScriptGenerator.Scripts(Among(BorderKinds), BorderWindow, WorldShape.Bordered), subject));
            yield return new NamedCheck(
                $"columns{suffix}",
                $"runs, batches and counts of the engine ({subject.Name}) say what the reference's words say",
                900,
                run => Hold(run, ScriptGenerator.Scripts(Among(ColumnKinds), MappedWindow, WorldShape.Windowed), subject));
        }
    }

    private static Func<OperationKind, bool> Among(OperationKind[] kinds) => kind => Array.IndexOf(kinds, kind) >= 0;

    private static void Hold(CheckRun run, Arbitrary<Script> scripts, Subject subject)
    {
        string? firstDifference = null;
        Property property = Prop.ForAll(scripts, script =>
        {
            string? difference = Differ(script, subject);
            firstDifference = difference ?? firstDifference;
            return difference is null;
        });
        try
        {
            Check.One(
                Config.QuickThrowOnFailure
                    .WithMaxTest(run.Count)
                    .WithQuietOnSuccess(true)
                    .WithReplay(new Replay(new Rnd((ulong)run.Seed, ((ulong)run.Seed * 2) + 1), Microsoft.FSharp.Core.FSharpOption<int>.None)),
                property);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            throw new CheckFailedException($"{firstDifference}\n{failure.Message}\nseed {run.Seed}", failure);
        }
    }

    private static string? Differ(Script script, Subject subject)
    {
        try
        {
            return Twin.FirstDifference(script, Subject.Reference.Make, subject.Make);
        }
        catch (Exception thrown) when (thrown is not OutOfMemoryException)
        {
            return $"thrown: {thrown.GetType().Name}: {thrown.Message} {thrown.StackTrace}";
        }
    }
}
