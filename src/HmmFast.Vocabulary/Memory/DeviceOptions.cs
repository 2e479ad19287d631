namespace HmmFast;

/// <summary>A device and the pagemap it brings.</summary>
public sealed record DeviceOptions
{
    /// <summary>For people; need not be unique.</summary>
    public required string Name { get; init; }

    /// <summary>Pages of device memory.</summary>
    public required ulong PageCount { get; init; }

    /// <summary>The pagemap's owner.</summary>
    public required OwnerId Owner { get; init; }

    /// <summary>Private or coherent.</summary>
    public DeviceMemoryKind Kind { get; init; }

    /// <summary>Told of migrations and freed pages; may be null.</summary>
    public IDevicePagemapOps? Ops { get; init; }
}
