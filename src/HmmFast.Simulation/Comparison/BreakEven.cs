namespace HmmFast.Simulation.Comparison;

/// <summary>After how many uses the one of two ways that costs more at first becomes the cheaper one.</summary>
/// <param name="Uses">The number of uses; null when that never happens.</param>
/// <param name="Meaning">What it means, in words.</param>
public sealed record BreakEven(double? Uses, string Meaning)
{
    /// <summary>The meaning where a policy left pages without a use, so that its time says nothing.</summary>
    public const string NotServed = "not comparable: pages were not served";

    /// <summary>Compares a policy with owner-only, which migrates every foreign page.</summary>
    /// <param name="setupNs">The policy's time before the first use.</param>
    /// <param name="useNs">Its time for one use of everything.</param>
    /// <param name="baseSetupNs">Owner-only's time before the first use.</param>
    /// <param name="baseUseNs">Owner-only's time for one use.</param>
    public static BreakEven Against(double setupNs, double useNs, double baseSetupNs, double baseUseNs)
    {
        double saved = baseSetupNs - setupNs;
        double extra = useNs - baseUseNs;
        const double Equal = 0.5;
        if (Math.Abs(saved) < Equal && Math.Abs(extra) < Equal)
        {
            return new BreakEven(null, "as owner-only");
        }

        if (saved >= 0 && extra <= 0)
        {
            return new BreakEven(null, "migrating never pays");
        }

        if (saved <= 0 && extra >= 0)
        {
            return new BreakEven(0, "migrating pays at once");
        }

        double uses = saved / extra;
        return saved > 0
            ? new BreakEven(uses, "migrating pays after so many uses")
            : new BreakEven(uses, "this policy pays after so many uses");
    }
}
