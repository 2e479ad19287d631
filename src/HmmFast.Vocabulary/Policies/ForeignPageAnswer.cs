namespace HmmFast.Policies;

/// <summary>A policy's answer for one question.</summary>
/// <remarks>Alias is an answer only to a question whose <see cref="ForeignPageQuestion.AliasOffered"/> is true.
/// The checks change nothing in a range fault; comparisons count what they would have cost, a page and a run of pages.</remarks>
/// <param name="Outcome">What the page becomes.</param>
/// <param name="Checks">The checks that were paid to find out.</param>
public readonly record struct ForeignPageAnswer(ForeignPageOutcome Outcome, PolicyChecks Checks)
{
    /// <summary>The private pfn.</summary>
    /// <param name="checks">The checks that were paid.</param>
    public static ForeignPageAnswer Private(PolicyChecks checks = PolicyChecks.None) => new(ForeignPageOutcome.Private, checks);

    /// <summary>The alias pfn.</summary>
    /// <param name="checks">The checks that were paid.</param>
    public static ForeignPageAnswer Alias(PolicyChecks checks = PolicyChecks.None) => new(ForeignPageOutcome.Alias, checks);

    /// <summary>To system memory, or 0.</summary>
    /// <param name="checks">The checks that were paid.</param>
    public static ForeignPageAnswer Fall(PolicyChecks checks = PolicyChecks.None) => new(ForeignPageOutcome.Fall, checks);
}
