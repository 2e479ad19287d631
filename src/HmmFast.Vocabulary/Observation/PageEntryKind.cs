namespace HmmFast;

/// <summary>What a CPU page table entry holds.</summary>
public enum PageEntryKind : byte
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>A mapped frame (PROT_NONE-protected ones included).</summary>
    Present,

    /// <summary>A swap slot.</summary>
    Swap,

    /// <summary>A device-private page.</summary>
    DevicePrivate,

    /// <summary>A system page held exclusively by a device.</summary>
    DeviceExclusive,

    /// <summary>A migration in progress.</summary>
    Migration,

    /// <summary>A marker that stands for a page that failed (<see cref="IAddressSpace.Poison"/>).</summary>
    Marker,
}
