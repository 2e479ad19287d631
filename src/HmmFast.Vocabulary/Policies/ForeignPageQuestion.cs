using HmmFast.Topology;

namespace HmmFast.Policies;

/// <summary>One question to a policy: all that any proposal wants to know about a device-private page and who asks for it.</summary>
/// <remarks>
/// The letters are those of the comparison of the proposals: O owner, E exporter's offer, M map type, I interconnect, P permission to answer with P2P, W write. One question stands
/// for all pages of a pagemap with the same letters; it is made when a table of decisions is, not a page. Source: <c>hmm_range_fault</c>'s owner test for O, the proposals for the others.
/// </remarks>
public readonly record struct ForeignPageQuestion
{
    /// <summary>The pagemap that holds the page.</summary>
    public required DeviceId Provider { get; init; }

    /// <summary>The importer; null when the range names none.</summary>
    public HmmClient? Client { get; init; }

    /// <summary>The pagemap's owner.</summary>
    public OwnerId ProviderOwner { get; init; }

    /// <summary>The range's owner.</summary>
    public OwnerId RangeOwner { get; init; }

    /// <summary>O: the range has an owner and it is the pagemap's.</summary>
    public bool OwnerMatches => RangeOwner != OwnerId.Null && RangeOwner == ProviderOwner;

    /// <summary>E: the exporter offers an alias for this page (its chunk is mapped in the BAR window).</summary>
    public bool AliasOffered { get; init; }

    /// <summary>How provider and client reach each other, from the one snapshot the call took.</summary>
    public ProviderReach Reach { get; init; }

    /// <summary>M: the P2P map type of provider and client; NotSupported when the range names no client.</summary>
    public P2PdmaMapType MapType => Reach.MapType;

    /// <summary>I: the private interconnect of provider and client is up now (always, for a client's own pagemap).</summary>
    public bool LinkIsUp => Reach.LinkIsUp;

    /// <summary>P: the caller set ALLOW_P2P for this page.</summary>
    public bool AllowP2p { get; init; }

    /// <summary>W: the caller asked for write access.</summary>
    public bool WriteAsked { get; init; }

    /// <summary>The entry lets its device write.</summary>
    public bool EntryIsWritable { get; init; }

    /// <summary>True when provider and client are one device.</summary>
    public bool IsOwnDevice => Reach.IsOwnDevice;
}
