using HmmFast.Policies;
using HmmFast.Properties.Equivalence;
using HmmFast.Simulation.State;

namespace HmmFast.Properties.Policies;

/// <summary>Engine and reference agree under every policy, and the invariants hold, in random sequences with devices that come and go.</summary>
public static class PolicyChecksCatalog
{
    private const int StepCount = 60;

    /// <summary>All of them.</summary>
    public static IReadOnlyList<NamedCheck> All { get; } =
    [
        new NamedCheck(
            "policies",
            "random steps under every policy: engine equals reference at every width, and the ten invariants hold",
            480,
            run => Hold(run)),
        .. PolicyExamples.All,
        .. CallExamples.All,
        .. WindowChecks.All,
        .. DmaChecks.All,
    ];

    private static void Hold(CheckRun run)
    {
        for (int i = 0; i < run.Count; i++)
        {
            int seed = unchecked((run.Seed * 7919) + i);
            Subject engine = Subject.Engines[i % Subject.Engines.Count];
            try
            {
                HoldOne(seed, engine, PolicyCatalog.All[i % PolicyCatalog.All.Count]);
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                string message = failure is CheckFailedException ? failure.Message : $"{failure.GetType().Name}: {failure.Message} {failure.StackTrace}";
                throw new CheckFailedException($"{message}\nengine {engine.Name}, case {i} of seed {run.Seed}", failure);
            }
        }
    }

    private static void HoldOne(int seed, Subject engine, IHmmPolicy policy)
    {
        PolicyWorldShape shape = new(new Random(seed), policy);
        using PolicyWorld left = new(shape, Subject.Reference.Make);
        using PolicyWorld right = new(shape, engine.Make);
        Random steps = new(seed ^ 0x5EED);
        for (int step = 0; step < StepCount; step++)
        {
            int kind = steps.Next(100);
            int stepSeed = steps.Next();
            IReadOnlyList<ulong> expected = left.Do(kind, new Random(stepSeed));
            IReadOnlyList<ulong> got = right.Do(kind, new Random(stepSeed));
            string what = $"{policy.Name}, step {step} (kind {kind})";
            for (int i = 0; i < Math.Min(expected.Count, got.Count); i++)
            {
                PolicyInvariants.Require(expected[i] == got[i], $"{what}: answer {i} is 0x{got[i]:x}, the reference says 0x{expected[i]:x}");
            }

            PolicyInvariants.Require(expected.Count == got.Count, $"{what}: {got.Count} answers, the reference gives {expected.Count}");
            if (StateComparison.FirstDifference(left.Memory, right.Memory) is { } difference)
            {
                throw new CheckFailedException($"{what}: reference and engine differ: {difference}");
            }

            Check(left, what + ", reference");
            Check(right, what + ", engine");
        }

        left.CheckContent(PolicyWorldShape.Pages);
        right.CheckContent(PolicyWorldShape.Pages);
    }

    private static void Check(PolicyWorld world, string what)
    {
        try
        {
            PolicyInvariants.Check(world);
        }
        catch (CheckFailedException failure)
        {
            throw new CheckFailedException($"{what}: {failure.Message}", failure);
        }
    }
}
