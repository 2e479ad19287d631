using HmmFast.Topology;

namespace HmmFast.Cli.Topo;

/// <summary>A device of the matrix: one function, or several of one card whose every answer is the same.</summary>
/// <param name="Label">A short name: GPU0, NIC3, NVMe1.</param>
/// <param name="Kind">Its kind, the label without the number.</param>
/// <param name="Index">Its first function's index.</param>
/// <param name="Address">Its first function's address.</param>
/// <param name="FunctionCount">How many functions stand behind it.</param>
public sealed record TopoDevice(string Label, string Kind, int Index, PciAddress Address, int FunctionCount);
