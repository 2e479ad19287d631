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

    /// <summary>
    /// Whether enough is known for the reachability rule: the vendor, and for AuthenticAMD the family too. Machines that are not x86
    /// carry their architecture as the vendor (<c>ppc64le</c>), since what counts is that they are not AuthenticAMD.
    /// </summary>
    public bool IsKnown => Vendor is not null && (Vendor != "AuthenticAMD" || Family is not null);
}
