namespace HmmFast.Simulation.Machines;

/// <summary>What is known of a function's ACS (Access Control Services). All unknown is the default.</summary>
public sealed record AcsDescription
{
    /// <summary>Nothing is known.</summary>
    public static readonly AcsDescription Unknown = new();

    /// <summary>The function is known to have no ACS capability.</summary>
    public static readonly AcsDescription Absent = new() { IsPresent = false };

    /// <summary>Source validation.</summary>
    public const ushort SourceValidation = 0x01;

    /// <summary>Translation blocking.</summary>
    public const ushort TranslationBlocking = 0x02;

    /// <summary>P2P request redirect.</summary>
    public const ushort RequestRedirect = 0x04;

    /// <summary>P2P completion redirect.</summary>
    public const ushort CompletionRedirect = 0x08;

    /// <summary>Upstream forwarding.</summary>
    public const ushort UpstreamForwarding = 0x10;

    /// <summary>P2P egress control.</summary>
    public const ushort EgressControl = 0x20;

    /// <summary>Direct translated P2P.</summary>
    public const ushort DirectTranslated = 0x40;

    /// <summary>Whether the function has the capability; <see langword="null"/> = unknown.</summary>
    public bool? IsPresent { get; init; }

    /// <summary>The capability register's low 16 bits; <see langword="null"/> = unknown or no capability.</summary>
    public ushort? Capability { get; init; }

    /// <summary>The control register; <see langword="null"/> = unknown or no capability.</summary>
    public ushort? Control { get; init; }

    /// <summary>
    /// Whether a redirect bit (request, completion or egress control) is set; <see langword="null"/> = unknown,
    /// <see langword="false"/> also when there is no capability.
    /// </summary>
    public bool? Redirects => IsPresent == false ? false
        : Control is ushort control ? (control & (RequestRedirect | CompletionRedirect | EgressControl)) != 0 : null;
}
