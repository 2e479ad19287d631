using HmmFast.Topology;

namespace HmmFast.Dma;

/// <summary>Device memory without struct pages (<c>struct p2pdma_provider</c>): who provides it and how bus addresses differ from physical ones.</summary>
/// <param name="Device">The provider.</param>
/// <param name="MapType">The P2P map type of (provider, this client).</param>
/// <param name="BusOffsetBytes">What is added to a physical address to get the bus address.</param>
public readonly record struct P2pProvider(DeviceId Device, P2PdmaMapType MapType, long BusOffsetBytes);
