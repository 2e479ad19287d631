namespace HmmFast.Drivers.Fabric;

/// <summary>What changes of connectivity have cost.</summary>
public record struct FabricCounters
{
    /// <summary>Links, owners, windows or members that changed.</summary>
    public ulong Changes { get; set; }

    /// <summary>Owners that were given to pagemaps after they were made.</summary>
    public ulong OwnerChanges { get; set; }

    /// <summary>Runs of pages whose users were told to let go.</summary>
    public ulong RevokedRuns { get; set; }

    /// <summary>Pages in those runs.</summary>
    public ulong RevokedPages { get; set; }

    /// <summary>Pages evicted to system memory, by unplugging or by registering a pagemap anew.</summary>
    public ulong EvictedPages { get; set; }

    /// <summary>Pagemaps unregistered and registered anew.</summary>
    public ulong Reregistrations { get; set; }
}
