namespace HmmFast.Conformance.Tests.LiveKernel;

/// <summary>What is compared of one page: the kernel's answer and the model's, in the same words.</summary>
/// <param name="IsPresent">A frame is mapped.</param>
/// <param name="IsExclusive">pagemap bit 56.</param>
/// <param name="IsZero">The zero page, small or huge.</param>
/// <param name="IsHuge">Mapped by a 2 MiB entry.</param>
/// <param name="SharesWith">Index of the first page, over parent then child, that has the same frame; its own where it is the first; -1 without a frame.</param>
internal readonly record struct LivePage(bool IsPresent, bool IsExclusive, bool IsZero, bool IsHuge, int SharesWith)
{
    /// <summary>
    /// The page without what kernels do not agree on: from 6.14 or so on, pagemap gives every page of a 2 MiB entry the exclusive bit of the first page
    /// it looked at; 6.12 each its own. So the bit counts on a huge entry's first page only.
    /// </summary>
    /// <param name="vpn">The page's number, to know where 2 MiB blocks begin.</param>
    internal LivePage Comparable(ulong vpn) => IsHuge && vpn % PageOrder.PagesPerBlock != 0 ? this with { IsExclusive = false } : this;

    public override string ToString() => !IsPresent
        ? "not present"
        : $"present{(IsExclusive ? " exclusive" : "")}{(IsZero ? " zero" : "")}{(IsHuge ? " huge" : "")} frame of {SharesWith}";
}
