using HmmFast.Simulation.State;

namespace HmmFast.Properties.Equivalence;

/// <summary>Runs one script on two implementations side by side.</summary>
public static class Twin
{
    /// <summary>Null when the two answered alike at every step and stand in equal states; else where they first differ.</summary>
    public static string? FirstDifference(Script script, Func<MemorySystemOptions, IMemorySystem> left, Func<MemorySystemOptions, IMemorySystem> right)
    {
        var shape = new WorldShape(script.Shape);
        using var a = new World(shape, left);
        using var b = new World(shape, right);

        // The two sides of a column operation make different numbers of calls.
        bool comparesCalls = !script.Operations.Any(operation => ScriptGenerator.IsColumn(operation.Kind));
        for (int i = 0; i < script.Operations.Count; i++)
        {
            Operation operation = script.Operations[i];
            IReadOnlyList<ulong> answerA = a.Do(operation);
            IReadOnlyList<ulong> answerB = b.Do(operation);
            string? difference = FirstDifference(answerA, answerB)
                ?? StateComparison.FirstDifference(a.Memory, b.Memory, comparesCalls)
                ?? DifferentLabels(a, b, i % 2)
                ?? TooManyClasses(a)
                ?? TooManyClasses(b)
                ?? a.ContentLoss
                ?? b.ContentLoss;
            if (difference is not null)
            {
                return $"step {i}, {operation} over {shape.RangeOf(operation)}: {difference}";
            }
        }

        if (comparesCalls && StateFingerprint.Compute(a.Memory) != StateFingerprint.Compute(b.Memory))
        {
            return "at the end: the fingerprints differ though no state difference was found";
        }

        if (FirstDifference(a.FinishMigrations(), b.FinishMigrations()) is { } unfinished)
        {
            return $"at the end of migrations: {unfinished}";
        }

        a.ReadEverything();
        b.ReadEverything();
        return a.ContentLoss ?? b.ContentLoss ?? StateComparison.FirstDifference(a.Memory, b.Memory, comparesCalls);
    }

    /// <summary>The engine keeps room in its table of classes for those that no device has; this is what says that it is enough.</summary>
    private static string? TooManyClasses(World world) =>
        world.Memory is MemorySystem { PageClassCounts: var (others, reserved) } && others >= reserved
            ? $"{others} page classes without a device; {reserved} are kept for them"
            : null;

    private static string? DifferentLabels(World left, World right, int bit) =>
        FirstDifference(left.Labels(bit), right.Labels(bit)) is { } difference ? $"pages' devices (bit {bit}): {difference}" : null;

    private static string? FirstDifference(IReadOnlyList<ulong> left, IReadOnlyList<ulong> right)
    {
        for (int i = 0; i < Math.Min(left.Count, right.Count); i++)
        {
            if (left[i] != right[i])
            {
                return $"answer word {i} of {left.Count}: 0x{left[i]:x} and 0x{right[i]:x}";
            }
        }

        return left.Count == right.Count ? null : $"answer words: {left.Count} and {right.Count}";
    }
}
