namespace HmmFast.Simulation.Machines;

/// <summary>A pair of devices of which a format tells only how far apart they are, as a class.</summary>
public sealed record DeviceRelationDescription
{
    /// <summary>The row's device, a name of <see cref="MachineDescription.Devices"/>.</summary>
    public required string From { get; init; }

    /// <summary>The column's device, a name of <see cref="MachineDescription.Devices"/>.</summary>
    public required string To { get; init; }

    /// <summary>The class.</summary>
    public required RelationClass Class { get; init; }

    /// <summary>For NVLink the number of bundled links, else <see langword="null"/>.</summary>
    public int? LinkCount { get; init; }
}
