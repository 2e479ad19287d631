namespace HmmFast.Dma;

/// <summary>An address a device puts on the bus.</summary>
/// <param name="Value">The address in bytes.</param>
public readonly record struct DmaAddress(ulong Value)
{
    /// <summary>DMA_MAPPING_ERROR: there is no such address.</summary>
    public static readonly DmaAddress MappingError = new(ulong.MaxValue);

    /// <summary>True when this is <see cref="MappingError"/>.</summary>
    public bool IsError => Value == ulong.MaxValue;

    /// <inheritdoc/>
    public override string ToString() => IsError ? "dma mapping error" : $"dma 0x{Value:x}";
}
