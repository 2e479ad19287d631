using HmmFast.Topology;

namespace HmmFast.Policies;

/// <summary>How one client reaches one provider's memory, at one moment. The default value reaches nothing.</summary>
public readonly record struct ProviderReach
{
    private readonly bool _isKnown;
    private readonly P2PdmaAnswer _p2p;

    /// <summary>The PCI answer for (provider, client).</summary>
    public P2PdmaAnswer P2p
    {
        get => _isKnown ? _p2p : new P2PdmaAnswer(P2PdmaMapType.NotSupported, 0);
        init
        {
            _p2p = value;
            _isKnown = true;
        }
    }

    /// <summary>M: the map type.</summary>
    public P2PdmaMapType MapType => P2p.MapType;

    /// <summary>True when PCI traffic between the two is allowed.</summary>
    public bool P2pIsAllowed => MapType is P2PdmaMapType.BusAddr or P2PdmaMapType.ThruHostBridge;

    /// <summary>I: the private interconnect is there and up, or provider and client are one device.</summary>
    public bool LinkIsUp { get; init; }

    /// <summary>True when provider and client are one device: its memory is local.</summary>
    public bool IsOwnDevice { get; init; }

    /// <summary>The exporter's access control: whether it lets this client in at all.</summary>
    public bool IsPermitted { get; init; }

    /// <summary>The registry's bit for this pair (policy dynamic-owner, form c).</summary>
    public bool BitmapAllows { get; init; }

    /// <summary>The private link; none when there is none (its live state is <see cref="LinkIsUp"/>).</summary>
    public PathEstimate LinkPath { get; init; }

    /// <summary>The PCI path; none when it is not allowed.</summary>
    public PathEstimate P2pPath { get; init; }

    /// <summary>The provider's alias pages; null when it has none.</summary>
    public AliasWindow? Window { get; init; }
}
