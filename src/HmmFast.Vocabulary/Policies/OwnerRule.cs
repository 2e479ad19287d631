namespace HmmFast.Policies;

/// <summary>Where a pagemap's owner comes from, and what happens to it when connectivity changes.</summary>
public enum OwnerRule : byte
{
    /// <summary>Given with the device and never changed.</summary>
    AsConfigured,

    /// <summary>Cliques of devices that all have an interconnect with one another, joined greedily in probe order and never changed.</summary>
    Cliques,

    /// <summary>Cliques again; on a change every page of a device that must change is evicted, its pagemap unregistered and registered anew.</summary>
    CliquesByEviction,

    /// <summary>Cliques as integer ids; on a change the id is rewritten and what is mapped is invalidated, pages stay.</summary>
    CliquesById,

    /// <summary>No owners: an N x N bitmap of who reaches whom, rewritten on a change, with what is mapped invalidated.</summary>
    Bitmap,
}
