namespace HmmFast.Simulation.Machines;

/// <summary>The processor as CPUID names it; each part may be unknown.</summary>
public sealed record CpuDescription
{
    /// <summary>The vendor string, for example <c>AuthenticAMD</c>; <see langword="null"/> = unknown.</summary>
    public string? Vendor { get; init; }

    /// <summary>The family with the extended family added (Zen 1 is 0x17 = 23); <see langword="null"/> = unknown.</summary>
    public int? Family { get; init; }

    /// <summary>The model with the extended model in front; <see langword="null"/> = unknown.</summary>
    public int? Model { get; init; }

    /// <summary>The name for people; <see langword="null"/> = unknown.</summary>
    public string? Name { get; init; }

    /// <summary>Whether vendor and family are both known, which is what the reachability rule asks for.</summary>
    public bool IsKnown => Vendor is not null && Family is not null;
}
