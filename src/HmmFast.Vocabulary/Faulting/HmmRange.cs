using HmmFast.Policies;

namespace HmmFast;

/// <summary>The request of one range fault: the kernel's <c>struct hmm_range</c> without its array.</summary>
/// <remarks>
/// What is asked of a page is its word's request flags as far as <see cref="PfnFlagsMask"/> lets them count, with <see cref="DefaultFlags"/> added. Nothing asked: the page is
/// looked at, never faulted. A value; holds no memory and costs nothing to copy but its bytes. Source: <c>hmm_range_fault</c>, with policy and client as the
/// proposals for device-private pages of others want them.
/// </remarks>
public readonly record struct HmmRange
{
    /// <summary>The pages to resolve, in 4 KiB pages inside the window; the array has one entry a page.</summary>
    public required VpnRange Range { get; init; }

    /// <summary>The notifier that guards the range; it must cover <see cref="Range"/>.</summary>
    public required IMmuIntervalNotifier Notifier { get; init; }

    /// <summary>What <see cref="IMmuIntervalNotifier.ReadBegin"/> returned before the call; the call is Busy when it has moved.</summary>
    public required ulong NotifierSequence { get; init; }

    /// <summary>Asked of every page (<c>default_flags</c>).</summary>
    public HmmRequestFlags DefaultFlags { get; init; }

    /// <summary>Which request flags of the array's own words count (<c>pfn_flags_mask</c>).</summary>
    public HmmRequestFlags PfnFlagsMask { get; init; }

    /// <summary>The array's old words count for nothing, as if all were 0: no request of their own, no sticky flags to keep.</summary>
    /// <remarks>For fresh arrays. The engine then writes the words without reading them, which saves a third of the memory traffic; after an error, words not reached still hold what they held.</remarks>
    public bool IgnoresWords { get; init; }

    /// <summary>Owner whose private pages may be handed out as they are (<c>dev_private_owner</c>). NULL, the default, matches no owner: every private page that is asked for goes to system memory.</summary>
    public OwnerId Owner { get; init; }

    /// <summary>How far a fault goes.</summary>
    public FaultHabit FaultHabit { get; init; }

    /// <summary>Who decides what a device-private page becomes; null is owner-only, what mainline does.</summary>
    public IHmmPolicy? Policy { get; init; }

    /// <summary>The importer, for policies that want to know it; null when the range names none. What it reaches is read once a call.</summary>
    public HmmClient? Client { get; init; }
}
