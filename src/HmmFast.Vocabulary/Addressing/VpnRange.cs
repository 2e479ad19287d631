namespace HmmFast;

/// <summary>A half-open run of virtual pages: <c>[Start, Start + PageCount)</c>.</summary>
public readonly record struct VpnRange
{
    /// <summary>First page number past the largest address a range may reach: 57-bit virtual addresses (five-level tables).</summary>
    public const ulong LimitVpn = 1UL << 45;

    /// <summary>Makes the range.</summary>
    /// <param name="start">First page.</param>
    /// <param name="pageCount">Pages in it; 0 makes an empty range.</param>
    /// <exception cref="ArgumentOutOfRangeException">The start or the end lies past <see cref="LimitVpn"/>, or the end overflows.</exception>
    public VpnRange(Vpn start, ulong pageCount)
    {
        if (start.Value > LimitVpn)
        {
            throw new ArgumentOutOfRangeException(nameof(start), start, $"The range of {pageCount} pages starts at {start}, past page 0x{LimitVpn:x}.");
        }

        if (pageCount > LimitVpn - start.Value)
        {
            throw new ArgumentOutOfRangeException(
                nameof(pageCount),
                pageCount,
                $"The range of {pageCount} pages from {start} ends past page 0x{LimitVpn:x}.");
        }

        Start = start;
        PageCount = pageCount;
    }

    /// <summary>First page.</summary>
    public Vpn Start { get; }

    /// <summary>Pages in the range.</summary>
    public ulong PageCount { get; }

    /// <summary>The page after the last.</summary>
    public Vpn End => new(Start.Value + PageCount);

    /// <summary>True when the range has no page.</summary>
    public bool IsEmpty => PageCount == 0;

    /// <summary>The range from a first page to the page after the last.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is reversed or ends past <see cref="LimitVpn"/>.</exception>
    public static VpnRange FromBounds(Vpn start, Vpn end)
    {
        if (end < start)
        {
            throw new ArgumentOutOfRangeException(nameof(end), end, $"The range is reversed: it starts at {start} and ends at {end}.");
        }

        return new VpnRange(start, end - start);
    }

    /// <summary>True when the page lies in the range.</summary>
    public bool Contains(Vpn vpn) => vpn.Value - Start.Value < PageCount;

    /// <summary>True when every page of <paramref name="other"/> lies in the range.</summary>
    public bool Contains(VpnRange other) => other.Start >= Start && other.End <= End;

    /// <summary>True when the two ranges share a page.</summary>
    public bool Overlaps(VpnRange other) => Start < other.End && other.Start < End && !IsEmpty && !other.IsEmpty;

    /// <summary>The pages in both; empty (at this range's start) when there are none.</summary>
    public VpnRange Intersect(VpnRange other)
    {
        ulong from = Math.Max(Start.Value, other.Start.Value);
        ulong to = Math.Min(End.Value, other.End.Value);
        return to > from ? new VpnRange(new Vpn(from), to - from) : new VpnRange(Start, 0);
    }

    /// <inheritdoc/>
    public override string ToString() => $"[0x{Start.Value:x}, 0x{End.Value:x})";
}
