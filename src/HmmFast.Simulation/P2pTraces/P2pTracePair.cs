using HmmFast.Topology;

namespace HmmFast.Simulation.P2pTraces;

/// <summary>One recorded pair.</summary>
/// <param name="Provider">The function whose memory it is.</param>
/// <param name="Client">The function that reads or writes it.</param>
/// <param name="Distance">The recorded distance, -1 for an unsupported pair.</param>
/// <param name="MapType">The recorded map type.</param>
/// <param name="Dma">What mapping one real page did (<c>bus</c>, <c>phys</c>, <c>err-121</c>); null where none was mapped.</param>
public readonly record struct P2pTracePair(PciAddress Provider, PciAddress Client, int Distance, P2PdmaMapType MapType, string? Dma);
