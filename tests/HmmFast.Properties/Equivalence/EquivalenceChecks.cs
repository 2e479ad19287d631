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

    /// <summary>The checks: one over everything and one over the core alone for each width, best first.</summary>
    public static IReadOnlyList<NamedCheck> All { get; } = [.. Checks()];

    private static IEnumerable<NamedCheck> Checks()
    {
        // Planted faults name these two, whatever machine they run on.
        yield return Everything("equivalence", Subject.Engines[0]);
        yield return Core("equivalence-core", Subject.Engines[0]);
        foreach (Subject subject in Subject.Engines)
        {
            yield return Everything($"equivalence-{subject.Name}", subject);
            yield return Core($"equivalence-core-{subject.Name}", subject);
        }
    }

    private static NamedCheck Everything(string name, Subject subject) => new(
        name,
        $"random operations answer alike on the engine ({subject.Name}) and the reference",
        300,
        run => Hold(run, ScriptGenerator.Scripts(), subject));

    private static NamedCheck Core(string name, Subject subject) => new(
        name,
        $"random map, access, range-fault and migration operations answer alike on the engine ({subject.Name}) and the reference",
        300,
        run => Hold(run, ScriptGenerator.Scripts(kind => Array.IndexOf(CoreKinds, kind) >= 0), subject));

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
