using System.Globalization;

namespace HmmFast.Simulation.Machines;

/// <summary>One kind of fact that a description lacks, and for how many of its parts.</summary>
/// <param name="Fact">What is lacking.</param>
/// <param name="Count">For how many functions, bridges or links.</param>
/// <param name="OutOf">Of how many that could have it.</param>
/// <param name="Why">Why: the format does not carry it, or what the text left out. A sentence without its full stop.</param>
public sealed record MachineUnknown(MachineFact Fact, int Count, int OutOf, string Why)
{
    /// <summary>One line, for example <c>AcsControl unknown for 30 of 30: hwloc XML does not carry ACS</c>.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Fact} unknown for {Count} of {OutOf}: {Why}");
}
