namespace HmmFast;

/// <summary>A page frame number: which 4 KiB frame, over system memory and every pagemap together.</summary>
/// <remarks>
/// Frame numbers are one space: the shared zero page is frame 0, system frames follow, then the 512 frames of the huge zero page, then each
/// pagemap's range in order of registration, every range starting at a multiple of 512. Columns keep 32 bits (16 TiB of frames).
/// </remarks>
/// <param name="Value">The number, in units of 4 KiB frames.</param>
public readonly record struct Pfn(ulong Value) : IComparable<Pfn>
{
    /// <summary>Says "no frame"; larger than any frame number a column can hold.</summary>
    public static readonly Pfn None = new(ulong.MaxValue);

    /// <summary>True unless this is <see cref="None"/>.</summary>
    public bool IsFrame => Value != ulong.MaxValue;

    /// <summary>The frame <paramref name="frameCount"/> frames further.</summary>
    public static Pfn operator +(Pfn pfn, ulong frameCount) => new(pfn.Value + frameCount);

    /// <inheritdoc/>
    public int CompareTo(Pfn other) => Value.CompareTo(other.Value);

    /// <summary>Order by number.</summary>
    public static bool operator <(Pfn left, Pfn right) => left.Value < right.Value;

    /// <summary>Order by number.</summary>
    public static bool operator >(Pfn left, Pfn right) => left.Value > right.Value;

    /// <summary>Order by number.</summary>
    public static bool operator <=(Pfn left, Pfn right) => left.Value <= right.Value;

    /// <summary>Order by number.</summary>
    public static bool operator >=(Pfn left, Pfn right) => left.Value >= right.Value;

    /// <inheritdoc/>
    public override string ToString() => IsFrame ? $"pfn 0x{Value:x}" : "pfn none";
}
