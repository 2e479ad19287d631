namespace HmmFast.Dma;

/// <summary>What the DMA API knows of an importing device.</summary>
public sealed record DmaDeviceOptions
{
    /// <summary>True when an IOMMU translates for it; false: it puts physical addresses (plus <see cref="OffsetBytes"/>) on the bus.</summary>
    public bool UsesIommu { get; init; } = true;

    /// <summary>Address bits it can drive, 12 to 64.</summary>
    public int MaskBits { get; init; } = 64;

    /// <summary>True when the device is not coherent with CPU caches, so that every transfer would need syncing: HMM refuses it.</summary>
    public bool NeedsSync { get; init; }

    /// <summary>Without an IOMMU: what is added to a physical address.</summary>
    public long OffsetBytes { get; init; }

    /// <summary>With an IOMMU: where its address space starts; a multiple of 4096.</summary>
    public ulong IovaStart { get; init; } = 1UL << 32;

    /// <summary>The largest address it can drive.</summary>
    public ulong Mask => MaskBits >= 64 ? ulong.MaxValue : (1UL << MaskBits) - 1;

    /// <summary>Checks the figures.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The mask is not 12 to 64 bits, or the start is not page-aligned.</exception>
    public void Validate()
    {
        if (MaskBits is < 12 or > 64)
        {
            throw new ArgumentOutOfRangeException(nameof(MaskBits), MaskBits, $"A DMA mask has 12 to 64 bits, not {MaskBits}.");
        }

        if (IovaStart % PageOrder.PageSizeBytes != 0)
        {
            throw new ArgumentOutOfRangeException(nameof(IovaStart), IovaStart, $"The address space starts at a multiple of {PageOrder.PageSizeBytes}, not at 0x{IovaStart:x}.");
        }
    }
}
