using HmmFast.Reference.Topology;
using HmmFast.Topology;

namespace HmmFast.Simulation.P2pTraces;

/// <summary>One recorded case: a machine in one state, and the kernel's answer for every pair of its functions.</summary>
public sealed class P2pTraceCase
{
    internal P2pTraceCase(
        int line,
        string name,
        CpuIdentity? cpu,
        PciHostBridgeSpec[] hostBridges,
        PciFunctionSpec[] functions,
        P2pTracePair[] pairs)
    {
        Line = line;
        Name = name;
        Cpu = cpu;
        HostBridges = hostBridges;
        Functions = functions;
        Pairs = pairs;
    }

    /// <summary>The line of the file, from 1.</summary>
    public int Line { get; }

    /// <summary>Tree and case: <c>tree 35 00-off/real</c>.</summary>
    public string Name { get; }

    /// <summary>The processor.</summary>
    public CpuIdentity? Cpu { get; }

    /// <summary>The host bridges.</summary>
    public IReadOnlyList<PciHostBridgeSpec> HostBridges { get; }

    /// <summary>The functions, top down.</summary>
    public IReadOnlyList<PciFunctionSpec> Functions { get; }

    /// <summary>The recorded pairs.</summary>
    public IReadOnlyList<P2pTracePair> Pairs { get; }

    /// <summary>Builds the machine.</summary>
    /// <returns>The machine.</returns>
    /// <exception cref="PciTopologyException">The case describes no machine.</exception>
    public PciTopology BuildTopology()
    {
        var builder = new PciTopologyBuilder { Cpu = Cpu };
        foreach (PciHostBridgeSpec hostBridge in HostBridges)
        {
            builder.AddHostBridge(hostBridge);
        }

        foreach (PciFunctionSpec function in Functions)
        {
            builder.AddFunction(function);
        }

        return builder.Build();
    }

    /// <summary>The engine's rule over the machine.</summary>
    /// <returns>The rule.</returns>
    /// <exception cref="PciTopologyException">The case describes no machine.</exception>
    public IP2PdmaDistance Engine() => new P2PdmaDistance(BuildTopology());

    /// <summary>The reference's rule over the machine.</summary>
    /// <returns>The rule.</returns>
    public IP2PdmaDistance Reference() => new ReferenceP2PdmaDistance(HostBridges, Functions, Cpu);
}
