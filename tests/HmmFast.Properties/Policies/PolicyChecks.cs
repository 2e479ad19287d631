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
            "random steps under every policy, the engine at every width beside the reference: equal answers and states, and after each step the invariants on pages, pfns and contents",
            112,
            run => Hold(run)),
        .. PolicyExamples.All,
        .. CallExamples.All,
        .. WindowChecks.All,
        .. DmaChecks.All,
    ];

    /// <summary>Each case is one policy with the engine at every width, so that 16 cases have seen every pair of them.</summary>
    private static void Hold(CheckRun run)
    {
        for (int i = 0; i < run.Count; i++)
        {
            IHmmPolicy policy = PolicyCatalog.All[i % PolicyCatalog.All.Count];
            string engine = "";
            try
            {
                HoldOne(unchecked((run.Seed * 7919) + i), policy, ref engine);
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                string message = failure is CheckFailedException ? failure.Message : $"{failure.GetType().Name}: {failure.Message} {failure.StackTrace}";
                throw new CheckFailedException($"{message}\nengine {engine}, case {i} of seed {run.Seed}", failure);
            }
        }
    }

    private static void HoldOne(int seed, IHmmPolicy policy, ref string engine)
    {
        PolicyWorldShape shape = new(new Random(seed), policy);
        using PolicyWorld reference = new(shape, Subject.Reference.Make);
        PolicyWorld[] engines = [.. Subject.Engines.Select(subject => new PolicyWorld(shape, subject.Make))];
        try
        {
            Random steps = new(seed ^ 0x5EED);
            for (int step = 0; step < StepCount; step++)
            {
                int kind = steps.Next(PolicyWorld.KindCount);
                int stepSeed = steps.Next();
                string what = $"{policy.Name}, step {step} (kind {kind})";
                engine = Subject.Reference.Name;
                IReadOnlyList<ulong> expected = reference.Do(kind, new Random(stepSeed));
                Check(reference, what);
                for (int i = 0; i < engines.Length; i++)
                {
                    engine = Subject.Engines[i].Name;
                    Same(expected, engines[i].Do(kind, new Random(stepSeed)), what);
                    if (StateComparison.FirstDifference(reference.Memory, engines[i].Memory) is { } difference)
                    {
                        throw new CheckFailedException($"{what}: reference and engine differ: {difference}");
                    }

                    Check(engines[i], what);
                }
            }

            reference.CheckContent(shape.Pages);
            Array.ForEach(engines, world => world.CheckContent(shape.Pages));
        }
        finally
        {
            Array.ForEach(engines, world => world.Dispose());
        }
    }

    private static void Same(IReadOnlyList<ulong> expected, IReadOnlyList<ulong> got, string what)
    {
        for (int i = 0; i < Math.Min(expected.Count, got.Count); i++)
        {
            PolicyInvariants.Require(expected[i] == got[i], $"{what}: answer {i} is 0x{got[i]:x}, the reference says 0x{expected[i]:x}");
        }

        PolicyInvariants.Require(expected.Count == got.Count, $"{what}: {got.Count} answers, the reference gives {expected.Count}");
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
