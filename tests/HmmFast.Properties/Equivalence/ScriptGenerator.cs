using FsCheck;
using FsCheck.Fluent;

namespace HmmFast.Properties.Equivalence;

/// <summary>Draws scripts. Each script weighs the kinds of operation at random (a swarm), so that rare mixes come up.</summary>
public static class ScriptGenerator
{
    private const int MostOperations = 48;
    private static readonly OperationKind[] Kinds = Enum.GetValues<OperationKind>();

    // Without these a script does nothing worth comparing; swarms never switch them off.
    private static readonly OperationKind[] Always =
        [OperationKind.Map, OperationKind.CpuWrite, OperationKind.CpuRead, OperationKind.RangeFault, OperationKind.RangeFaultPerPage, OperationKind.MigrateToDevice];

    /// <summary>Scripts over the kinds allowed, shrinking by leaving steps out.</summary>
    /// <param name="allowed">Kinds that may come up; null for all but those that answer in columns, which are compared by a check of their own.</param>
    /// <param name="prologue">Operations that most scripts begin with, so that something stands there from the start.</param>
    /// <param name="shaped">Narrows the shapes; null for all of them.</param>
    public static Arbitrary<Script> Scripts(Func<OperationKind, bool>? allowed = null, IReadOnlyList<Operation>? prologue = null, Func<int, int>? shaped = null) =>
        Arb.From(Script(allowed ?? (kind => !IsColumn(kind)), prologue ?? [], shaped ?? (shape => shape)), Shrink);

    /// <summary>True for operations that the engine answers in columns and the reference in words.</summary>
    public static bool IsColumn(OperationKind kind) => kind is OperationKind.Extents or OperationKind.Batch or OperationKind.Classify;

    private static Gen<Script> Script(Func<OperationKind, bool> allowed, IReadOnlyList<Operation> prologue, Func<int, int> shaped) =>
        from shape in Gen.Choose(0, int.MaxValue)
        from swarm in Gen.Choose(0, int.MaxValue)
        from length in Gen.Choose(4, MostOperations)
        from operations in Gen.ArrayOf(Operation(Weights(swarm, allowed)), length)
        from begins in Gen.Choose(0, 3)
        select new Script(shaped(shape), begins > 0 ? [.. prologue, .. operations] : operations);

    private static Gen<Operation> Operation((int Weight, Gen<OperationKind> Kind)[] weights) =>
        from kind in Gen.Frequency(weights)
        from space in Gen.Choose(0, 1 << 16)
        from page in Gen.Choose(0, 1 << 20)
        from count in Gen.Choose(0, 1 << 20)
        from a in Gen.Choose(0, 1 << 30)
        from b in Gen.Choose(0, 1 << 30)
        select new Operation(kind, space, page, count, a, b);

    private static (int Weight, Gen<OperationKind> Kind)[] Weights(int swarm, Func<OperationKind, bool> allowed)
    {
        var random = new Random(swarm);
        var weights = new List<(int, Gen<OperationKind>)>();
        foreach (OperationKind kind in Kinds)
        {
            bool isAlways = Array.IndexOf(Always, kind) >= 0;
            int weight = random.Next(4) switch
            {
                0 => isAlways ? 2 : 0,
                1 => 1,
                2 => 3,
                _ => 8,
            };
            if (weight > 0 && allowed(kind))
            {
                weights.Add((isAlways ? weight + 3 : weight, Gen.Constant(kind)));
            }
        }

        return [.. weights];
    }

    private static IEnumerable<Script> Shrink(Script script)
    {
        int count = script.Operations.Count;
        for (int size = count / 2; size >= 1; size /= 2)
        {
            for (int start = 0; start + size <= count; start += size)
            {
                yield return script with { Operations = [.. script.Operations.Take(start), .. script.Operations.Skip(start + size)] };
            }
        }
    }
}
