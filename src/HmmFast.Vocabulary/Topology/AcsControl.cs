namespace HmmFast.Topology;

/// <summary>
/// Bits of the Access Control Services capability and control registers (both have the same layout in the low seven bits).
/// </summary>
[Flags]
public enum AcsControl : ushort
{
    /// <summary>No bit.</summary>
    None = 0,

    /// <summary>SV: source validation. Does not redirect peer traffic.</summary>
    SourceValidation = 0x01,

    /// <summary>TB: translation blocking. Does not redirect peer traffic.</summary>
    TranslationBlocking = 0x02,

    /// <summary>RR: peer requests are redirected upstream.</summary>
    RequestRedirect = 0x04,

    /// <summary>CR: peer completions are redirected upstream.</summary>
    CompletionRedirect = 0x08,

    /// <summary>UF: upstream forwarding. Does not redirect peer traffic.</summary>
    UpstreamForwarding = 0x10,

    /// <summary>EC: peer egress control.</summary>
    EgressControl = 0x20,

    /// <summary>DT: direct translated peer traffic. Does not redirect untranslated peer traffic.</summary>
    DirectTranslated = 0x40,

    /// <summary>The three bits that count for peer-to-peer DMA: RR, CR, EC (what <c>pci_p2pdma_distance_many</c> takes for a redirect).</summary>
    Redirecting = RequestRedirect | CompletionRedirect | EgressControl,

    /// <summary>What a kernel with an IOMMU switches on wherever the capability has it: SV, RR, CR, UF.</summary>
    KernelDefault = SourceValidation | RequestRedirect | CompletionRedirect | UpstreamForwarding,
}
