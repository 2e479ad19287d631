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
        foreach (Subject subject in Subject.Engines)
        {
            yield return new NamedCheck(
                $"equivalence-{subject.Name}",
                $"random operations answer alike on the engine ({subject.Name}) and the reference",
                150,
                run => Hold(run, ScriptGenerator.Scripts(), subject));
            yield return new NamedCheck(
                $"equivalence-core-{subject.Name}",
                $"random map, access, range-fault and migration operations answer alike on the engine ({subject.Name}) and the reference",
                150,
                run => Hold(run, ScriptGenerator.Scripts(kind => Array.IndexOf(CoreKinds, kind) >= 0), subject));
        }
    }

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
