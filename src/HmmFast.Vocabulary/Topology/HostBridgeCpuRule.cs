namespace HmmFast.Topology;

/// <summary>A family of processors all of whose host bridges pass peer traffic, whatever ids they carry.</summary>
/// <param name="Vendor">CPUID vendor string, compared exactly.</param>
/// <param name="MinFamily">The first family that does.</param>
public readonly record struct HostBridgeCpuRule(string Vendor, int MinFamily)
{
    /// <summary>Whether the rule holds for a processor.</summary>
    /// <param name="cpu">The processor.</param>
    /// <returns>True if vendor and family fit.</returns>
    public bool Covers(CpuIdentity cpu) => string.Equals(cpu.Vendor, Vendor, StringComparison.Ordinal) && cpu.Family >= MinFamily;

    /// <summary>The rule as text.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => $"{Vendor} family 0x{MinFamily:x} or later";
}
