using HmmFast.Reference.Topology;
using HmmFast.Topology;

namespace HmmFast.Properties.Topology;

/// <summary>Checks that the engine's peer-to-peer rule gives the reference's answers on random machines.</summary>
public static class P2PdmaChecks
{
    /// <summary>Compares every pair of one random machine, asked pair by pair, row by row and in words.</summary>
    /// <param name="seed">The machine's seed.</param>
    /// <param name="list">The host bridge list; null: both implementations' own idea of Linux 6.12's.</param>
    /// <returns>The first difference in words, or null.</returns>
    public static string? FirstDifference(int seed, HostBridgeList? list = null)
    {
        RandomMachine machine = RandomMachine.Make(seed);
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

                string? difference = FirstDifferenceInRow(engine, reference, provider, row);
                if (difference is not null)
                {
                    return $"seed {seed}, {assumptions}: {difference}";
                }
            }
        }

        return null;
    }

    private static string? FirstDifferenceInRow(P2PdmaDistance engine, ReferenceP2PdmaDistance reference, int provider, P2PdmaAnswer[] row)
    {
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

            bool saysRedirected = why.Redirectors.Count > 0;
            bool isBus = expected.MapType == P2PdmaMapType.BusAddr;
            if (isBus && (saysRedirected || why.CommonBridge is null))
            {
                return $"{from} -> {to}: BusAddr, but explained by {why.Reason()}";
            }
        }

        return null;
    }

    private static P2PdmaAssumptions[] AllAssumptions() => [new(false, false), new(true, false), new(false, true), new(true, true)];
}
