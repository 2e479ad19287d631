namespace HmmFast;

/// <summary>A virtual page number: a virtual address divided by 4 KiB.</summary>
/// <param name="Value">The number, in units of 4 KiB pages.</param>
public readonly record struct Vpn(ulong Value) : IComparable<Vpn>
{
    /// <summary>The page <paramref name="pageCount"/> pages further.</summary>
    public static Vpn operator +(Vpn vpn, ulong pageCount) => new(vpn.Value + pageCount);

    /// <summary>Pages from <paramref name="right"/> up to <paramref name="left"/>.</summary>
    public static ulong operator -(Vpn left, Vpn right) => left.Value - right.Value;

    /// <inheritdoc/>
    public int CompareTo(Vpn other) => Value.CompareTo(other.Value);

    /// <summary>Order by address.</summary>
    public static bool operator <(Vpn left, Vpn right) => left.Value < right.Value;

    /// <summary>Order by address.</summary>
    public static bool operator >(Vpn left, Vpn right) => left.Value > right.Value;

    /// <summary>Order by address.</summary>
    public static bool operator <=(Vpn left, Vpn right) => left.Value <= right.Value;

    /// <summary>Order by address.</summary>
    public static bool operator >=(Vpn left, Vpn right) => left.Value >= right.Value;

    /// <inheritdoc/>
    public override string ToString() => $"vpn 0x{Value:x}";
}
