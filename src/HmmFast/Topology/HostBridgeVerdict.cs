namespace HmmFast.Topology;

/// <summary>Whether peer traffic may go through a host bridge, or a pair of them.</summary>
public enum HostBridgeVerdict : byte
{
    /// <summary>Neither the processor nor the list allows it.</summary>
    Refused,

    /// <summary>The processor or the list allows it.</summary>
    Allowed,

    /// <summary>The description does not carry what decides it (processor, ids, or which device is first).</summary>
    Unknown,
}
