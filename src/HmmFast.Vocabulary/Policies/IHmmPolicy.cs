namespace HmmFast.Policies;

/// <summary>
/// Who decides what a device-private page becomes when somebody asks for it: hand out the private pfn, hand out an alias pfn over the
/// exporter's BAR, or fall (migrate it to system memory where a fault was requested, else answer 0).
/// </summary>
/// <remarks>
/// <see cref="Decide"/> is a pure function. An engine asks it once per call and combination of pagemap, entry access, request and
/// offer, never once a page; the reference asks it page by page. Both must get the same answer for the same question, so an
/// implementation keeps no state that changes during a call, and throws nothing. The other members say how an importer behaves around the call.
/// Cost: the engine keeps decisions between calls, so a policy adds nothing a page; where a window shows only some of a pagemap's pages and that
/// matters, a look at the window for each of its runs. A table of decisions is made again when owners, the client's reach or the page classes change.
/// Source: the proposals of the mailing list on peer access to device-private pages and what Linux does today; each implementation names its own.
/// </remarks>
public interface IHmmPolicy
{
    /// <summary>Short and stable, in lower case with dashes; names the row in every result.</summary>
    string Name { get; }

    /// <summary>What the page becomes.</summary>
    /// <param name="question">Everything a proposal has asked for as an input.</param>
    /// <returns>The outcome, and which checks were paid for it; Alias only where the question says that one is offered.</returns>
    ForeignPageAnswer Decide(in ForeignPageQuestion question);

    /// <summary>True when the importer sets ALLOW_P2P in its first request.</summary>
    bool RequestsP2p => false;

    /// <summary>What the importer does when a page cannot be DMA mapped.</summary>
    MapFailureAnswer OnMapFailure => MapFailureAnswer.Fatal;

    /// <summary>True when the exporter maps its private pages for the importer (<see cref="Dma.IPagemapExporter"/>) where no private link is up.</summary>
    bool ExporterMaps => false;

    /// <summary>True when the importer checks the whole range afterwards and asks again with a NULL owner if one page is unfit or the range is mixed.</summary>
    bool PostChecks => false;

    /// <summary>True when results shall carry PRIVATE and P2P bits: the memory system's layout must have them (<see cref="HmmPfnLayout.Linux616Typed"/>).</summary>
    bool TypedOutput => false;

    /// <summary>Where owners come from.</summary>
    OwnerRule Owners => OwnerRule.AsConfigured;
}
