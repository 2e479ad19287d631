using HmmFast.Reference.Topology;
using HmmFast.Topology;

namespace HmmFast.Properties.Topology;

/// <summary>Checks that the engine's peer-to-peer rule gives the reference's answers on random machines.</summary>
public static class P2PdmaChecks
{
    /// <summary>The named checks.</summary>
    public static IReadOnlyList<NamedCheck> All { get; } =
    [
        new("p2pdma", "the engine's peer-to-peer rule, asked by pair, by row, for several clients and for its reasons, answers as the reference", 250, Hold),
        new("p2pdma-list", "the built-in host bridge list and the answers' packing are what they are documented to be", 1, HoldList),
    ];

    private static void Hold(CheckRun run)
    {
        var seeds = new Random(run.Seed);
        for (int i = 0; i < run.Count; i++)
        {
            int seed = seeds.Next();
            string? difference;
            try
            {
                difference = FirstDifference(seed);
            }
            catch (Exception thrown) when (thrown is not OutOfMemoryException)
            {
                difference = $"seed {seed}: thrown: {thrown.GetType().Name}: {thrown.Message}";
            }

            if (difference is not null)
            {
                throw new CheckFailedException($"{difference}\nseed {run.Seed}");
            }
        }
    }

    private static void HoldList(CheckRun run)
    {
        string lines = string.Join(' ', HostBridgeList.Linux612.Entries.ToArray().Select(line => $"{line.Vendor:x4}:{line.Device:x4}{(line.SameHostBridgeOnly ? "=" : "")}"));
        string expected = "8086:3c00= 8086:3c01= 8086:2f00= 8086:2f01= 8086:2030 8086:2031 8086:2032 8086:2033 8086:2020 8086:09a2";
        if (lines != expected)
        {
            throw new CheckFailedException($"the list of Linux 6.12 is {lines}\nseed {run.Seed}");
        }

        var refused = new P2PdmaAnswer(P2PdmaMapType.NotSupported, 7);
        var reached = new P2PdmaAnswer(P2PdmaMapType.ThruHostBridge, 7);
        if (refused.Distance != -1 || refused.Hops != 7 || reached.Distance != 7 || P2PdmaAnswer.FromWord(reached.Word) != reached)
        {
            throw new CheckFailedException($"{refused} and {reached} do not pack\nseed {run.Seed}");
        }
    }

    /// <summary>Compares every pair of one random machine, asked pair by pair, row by row and in words.</summary>
    /// <param name="seed">The machine's seed.</param>
    /// <param name="list">The host bridge list; null: both implementations' own idea of Linux 6.12's.</param>
    /// <returns>The first difference in words, or null.</returns>
    public static string? FirstDifference(int seed, HostBridgeList? list = null)
    {
        // A few machines are large enough for runs of several vectors.
        RandomMachine machine = RandomMachine.Make(seed, seed % 16 == 0 ? 250 : 60);
        PciTopology topology = machine.Build();
        var row = new P2PdmaAnswer[topology.Count + 1];
        foreach (P2PdmaAssumptions assumptions in AllAssumptions())
        {
            var engine = new P2PdmaDistance(topology, list, assumptions);
            var reference = new ReferenceP2PdmaDistance(
                machine.HostBridges, machine.Functions, machine.Cpu, list, assumptions.UnknownAcsRedirects, assumptions.UnknownHostBridgeAllows);
            for (int provider = 0; provider < topology.Count; provider++)
            {
                var fence = new P2PdmaAnswer(P2PdmaMapType.None, 12345);
                row[^1] = fence;
                engine.FillRow(provider, row);
                if (row[^1] != fence)
                {
                    return $"seed {seed}: the row of {topology.Addresses[provider]} wrote behind its end";
                }

                string? difference = FirstDifferenceInRow(engine, reference, machine, provider, row)
                    ?? FirstDifferenceOfMany(engine, reference, provider);
                if (difference is not null)
                {
                    return $"seed {seed}, {assumptions}: {difference}";
                }
            }
        }

        return null;
    }

    private static string? FirstDifferenceInRow(P2PdmaDistance engine, ReferenceP2PdmaDistance reference, RandomMachine machine, int provider, P2PdmaAnswer[] row)
    {
        Dictionary<PciAddress, PciFunctionSpec> functions = machine.Functions.ToDictionary(function => function.Address);
        PciTopology topology = engine.Topology;
        for (int client = 0; client < topology.Count; client++)
        {
            PciAddress from = topology.Addresses[provider];
            PciAddress to = topology.Addresses[client];
            P2PdmaAnswer expected = reference.Answer(from, to);
            P2PdmaAnswer pair = engine.Answer(provider, client);
            if (pair != expected || row[client] != expected || reference.Answer(to, from) != expected)
            {
                return $"{from} -> {to}: reference {expected} ({expected.Hops} hops), pair {pair} ({pair.Hops} hops), row {row[client]}";
            }

            var why = P2PdmaExplanation.Explain(engine, provider, client);
            if (why.Answer != expected || !why.PossibleAnswers.Contains(expected))
            {
                return $"{from} -> {to}: reference {expected}, explained as {why.Answer} of {string.Join(", ", why.PossibleAnswers)}";
            }

            string? wrongReason = WrongReason(functions, why);
            if (wrongReason is not null)
            {
                return $"{from} -> {to}: {wrongReason}";
            }
        }

        return null;
    }

    /// <summary>Walks the description for itself and compares the reason's path, common bridge and redirecting functions with it.</summary>
    private static string? WrongReason(Dictionary<PciAddress, PciFunctionSpec> functions, P2PdmaExplanation why)
    {
        List<PciFunctionSpec> up = PathUp(functions, why.Provider);
        List<PciFunctionSpec> down = PathUp(functions, why.Client);
        PciFunctionSpec? common = up.Find(down.Contains);
        List<PciFunctionSpec> path = common is null ? up : [.. up.TakeWhile(function => function != common), common];
        path.AddRange(Enumerable.Reverse(common is null ? down : down.TakeWhile(function => function != common)));
        string expected = string.Join(' ', path.Select(function => function.Address));
        string said = why.PathText().Replace("[", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal);
        said = string.Join(' ', said.Split(" > ").Where(part => !part.StartsWith("host", StringComparison.Ordinal)));
        if (said != expected || why.CommonBridge != common?.Address)
        {
            return $"the path is {expected}, explained as {said} over {why.CommonBridge}";
        }

        string redirectors = common is null ? "" : string.Join(' ', path.Where(function => ((int)function.Acs.Control & 0x2c) != 0).Select(function => function.Address));
        string saidRedirectors = string.Join(' ', why.Redirectors.Select(redirector => redirector.Address));
        return saidRedirectors == redirectors ? null : $"the functions that redirect are {redirectors}, explained as {saidRedirectors}";
    }

    private static List<PciFunctionSpec> PathUp(Dictionary<PciAddress, PciFunctionSpec> functions, PciAddress from)
    {
        var path = new List<PciFunctionSpec>();
        PciFunctionSpec? at = functions[from];
        while (at is not null)
        {
            path.Add(at);
            PciAddress? parent = at.PhysicalFunction is PciAddress physical ? functions[physical].Parent : at.Parent;
            at = parent is PciAddress address ? functions[address] : null;
        }

        return path;
    }

    private static string? FirstDifferenceOfMany(P2PdmaDistance engine, ReferenceP2PdmaDistance reference, int provider)
    {
        PciTopology topology = engine.Topology;
        int other = (provider * 7 + 3) % topology.Count;
        int third = (provider + 1) % topology.Count;
        int sum = 0;
        foreach (int client in new[] { other, third })
        {
            P2PdmaAnswer answer = reference.Answer(topology.Addresses[provider], topology.Addresses[client]);
            sum = sum < 0 || answer.MapType == P2PdmaMapType.NotSupported ? -1 : sum + answer.Hops;
        }

        int many = engine.Many(provider, [other, third]);
        return many == sum ? null : $"{topology.Addresses[provider]} for {topology.Addresses[other]} and {topology.Addresses[third]}: {sum} expected, {many} answered";
    }

    private static P2PdmaAssumptions[] AllAssumptions() => [new(false, false), new(true, false), new(false, true), new(true, true)];
}
