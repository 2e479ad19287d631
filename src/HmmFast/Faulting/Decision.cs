using HmmFast.AddressSpaces;
using HmmFast.Kernels;
using HmmFast.Policies;

namespace HmmFast.Faulting;

/// <summary>What is asked of a page, and by whom: all that a decision rests on beside the page's class.</summary>
/// <param name="Fault">REQ_FAULT.</param>
/// <param name="Write">REQ_WRITE; means nothing without <paramref name="Fault"/>.</param>
/// <param name="AllowP2p">ALLOW_P2P.</param>
internal readonly record struct PageAsk(bool Fault, bool Write, bool AllowP2p);

/// <summary>
/// The rules of hmm_range_fault for one page table entry, as plain code: what a class becomes under a request. Runs once per class and request and is
/// remembered in a <see cref="DecisionTable"/>; nothing here is on a per-page path.
/// </summary>
/// <remarks>Source: what <c>hmm_range_fault</c> does with each kind of entry (rf_script_small.jsonl.gz), and for device-private pages of a foreign owner the policy.</remarks>
internal static class Decision
{
    /// <summary>Work: fault the page for reading.</summary>
    public const byte ReadFault = 1;

    /// <summary>Work: fault the page for writing.</summary>
    public const byte WriteFault = 2;

    /// <summary>Work: neither an answer nor a fault: an error, a wait, or a page whose answer depends on more than its class.</summary>
    public const byte Special = 3;

    /// <summary>Kind bit of a private pfn handed out; its place follows that of the alias.</summary>
    public const byte PrivateKind = 2 << Resolution.KindBit;

    /// <summary>Kind bit of an alias pfn handed out.</summary>
    public const byte AliasKind = 1 << Resolution.KindBit;

    /// <summary>The resolution of a class.</summary>
    /// <param name="pageClass">The entry.</param>
    /// <param name="ask">What is asked of it.</param>
    /// <param name="outcome">For device-private entries: what the policy says (Fall without one).</param>
    public static byte Decide(PageClass pageClass, PageAsk ask, ForeignPageOutcome outcome)
    {
        switch (pageClass.Kind)
        {
            case PageEntryKind.Present when ask.Fault && ask.Write && !pageClass.IsWritable:
                return WriteFault;
            case PageEntryKind.Present when (pageClass.Bits & EntryBits.Special) != 0:
                // No fault would give it a struct page.
                return ask.Fault ? Special : Resolution.Error;
            case PageEntryKind.Present:
                return Readable(pageClass);
            case PageEntryKind.DevicePrivate when outcome != ForeignPageOutcome.Fall:
                // Handed out as it is: a write request neither faults nor fails when the entry is read-only.
                return (byte)(Readable(pageClass) | (outcome == ForeignPageOutcome.Alias ? AliasKind : PrivateKind));
            case PageEntryKind.Migration:
            case PageEntryKind.Marker:
                return ask.Fault ? Special : Resolution.Nothing;
            default:
                return !ask.Fault ? Resolution.Nothing : ask.Write ? WriteFault : ReadFault;
        }
    }

    private static byte Readable(PageClass pageClass) => (byte)(Resolution.Valid | (pageClass.IsWritable ? Resolution.Write : 0));
}
