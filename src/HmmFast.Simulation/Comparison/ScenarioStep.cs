using System.Globalization;

namespace HmmFast.Simulation.Comparison;

/// <summary>A step of a scenario.</summary>
public sealed record ScenarioStep
{
    /// <summary>What it does.</summary>
    public required ScenarioStepKind Kind { get; init; }

    /// <summary>The devices concerned: who faults (several fault with a common owner, or NULL), who is unplugged, whose chunk it is.</summary>
    public IReadOnlyList<int> Devices { get; init; } = [];

    /// <summary>For <see cref="ScenarioStepKind.Deny"/>, <see cref="ScenarioStepKind.Permit"/> and <see cref="ScenarioStepKind.MapProvider"/>: the client.</summary>
    public int Client { get; init; }

    /// <summary>For <see cref="ScenarioStepKind.MapProvider"/>: pages that are mapped.</summary>
    public ulong PageCount { get; init; }

    /// <summary>The link concerned.</summary>
    public int Link { get; init; }

    /// <summary>The chunk concerned.</summary>
    public int Chunk { get; init; }

    /// <summary>Write access instead of read.</summary>
    public bool Writes { get; init; }

    /// <summary>Asks with a NULL owner, whatever the policy.</summary>
    public bool ForcesSystem { get; init; }

    /// <summary>Where the part that is faulted begins, as a share of all memory.</summary>
    public double From { get; init; }

    /// <summary>Where it ends.</summary>
    public double To { get; init; } = 1;

    /// <summary>Line in the file.</summary>
    public int Line { get; init; }

    /// <summary>What the step does, in a few words.</summary>
    /// <param name="scenario">The scenario that it belongs to.</param>
    public string Describe(PolicyScenario scenario)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        string devices = string.Join("+", Devices.Select(device => scenario.Devices[device].Name));
        return Kind switch
        {
            ScenarioStepKind.Fault => $"{devices} {(Writes ? "writes" : "reads")}{(ForcesSystem ? " with a NULL owner" : "")}{Part()}",
            ScenarioStepKind.LinkDown => "link down",
            ScenarioStepKind.LinkUp => "link up",
            ScenarioStepKind.Restore => "devices take back",
            ScenarioStepKind.MapProvider => $"{scenario.Devices[Client].Name} maps memory of {devices}",
            ScenarioStepKind.Deny or ScenarioStepKind.Permit => $"{devices} {(Kind == ScenarioStepKind.Deny ? "denies" : "permits")} {scenario.Devices[Client].Name}",
            ScenarioStepKind.UnmapChunk or ScenarioStepKind.MapChunk => string.Create(CultureInfo.InvariantCulture, $"{(Kind == ScenarioStepKind.MapChunk ? "map" : "unmap")} chunk {Chunk} of {devices}"),
            _ => $"{Kind.ToString().ToLowerInvariant()} {devices}".TrimEnd(),
        };
    }

    private string Part() => From == 0 && To == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $" {From * 100:0}-{To * 100:0} %");
}
