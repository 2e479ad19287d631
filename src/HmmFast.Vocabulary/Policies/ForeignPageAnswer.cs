namespace HmmFast.Policies;

/// <summary>A policy's answer for one question.</summary>
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
