namespace HmmFast.Simulation.Machines;

/// <summary>One difference between two descriptions.</summary>
/// <param name="Kind">How they differ.</param>
/// <param name="Subject">Of what: an address, a name, <c>cpu</c>, a link as <c>from -> to</c>.</param>
/// <param name="Fact">Which fact of it; empty when the subject as a whole is on one side only.</param>
/// <param name="Left">What the left one says; <see langword="null"/> = nothing.</param>
/// <param name="Right">What the right one says; <see langword="null"/> = nothing.</param>
public sealed record MachineDifference(MachineDifferenceKind Kind, string Subject, string Fact, string? Left, string? Right)
{
    /// <summary>Whether the two contradict each other, rather than one knowing more.</summary>
    public bool IsContradiction => Kind is MachineDifferenceKind.Differs or MachineDifferenceKind.OnlyLeft or MachineDifferenceKind.OnlyRight;

    /// <summary>One line for people.</summary>
    public override string ToString() => Kind switch
    {
        MachineDifferenceKind.OnlyLeft => $"{Subject}: only left ({Left})",
        MachineDifferenceKind.OnlyRight => $"{Subject}: only right ({Right})",
        MachineDifferenceKind.KnownLeft => $"{Subject}: {Fact} {Left}, right does not say",
        MachineDifferenceKind.KnownRight => $"{Subject}: {Fact} {Right}, left does not say",
        _ => $"{Subject}: {Fact} {Left} left, {Right} right",
    };
}
