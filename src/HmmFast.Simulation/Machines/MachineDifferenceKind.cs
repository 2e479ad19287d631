namespace HmmFast.Simulation.Machines;

/// <summary>How two descriptions of a machine differ in one point.</summary>
public enum MachineDifferenceKind
{
    /// <summary>Only the left description has it.</summary>
    OnlyLeft,

    /// <summary>Only the right description has it.</summary>
    OnlyRight,

    /// <summary>Both know it and disagree.</summary>
    Differs,

    /// <summary>Only the left description knows it; the right one does not contradict.</summary>
    KnownLeft,

    /// <summary>Only the right description knows it; the left one does not contradict.</summary>
    KnownRight,
}
