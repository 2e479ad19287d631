using HmmFast.Topology;

namespace HmmFast.Simulation.Machines;

/// <summary>What the peer-to-peer rule is asked of: a machine and a kernel's host bridge list.</summary>
/// <param name="Topology">The machine.</param>
/// <param name="List">The list.</param>
public sealed record TopologyState(PciTopology Topology, HostBridgeList List);
