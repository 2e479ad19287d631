using System.Globalization;

namespace HmmFast.Cli;

/// <summary>Numbers with units, as people write and read them.</summary>
internal static class Units
{
    /// <summary>A rate of pages a second.</summary>
    public static string Rate(double pagesPerSecond) => pagesPerSecond switch
    {
        >= 1e9 => string.Create(CultureInfo.InvariantCulture, $"{pagesPerSecond / 1e9:0.00} G/s"),
        >= 1e6 => string.Create(CultureInfo.InvariantCulture, $"{pagesPerSecond / 1e6:0.0} M/s"),
        >= 1e3 => string.Create(CultureInfo.InvariantCulture, $"{pagesPerSecond / 1e3:0.0} k/s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{pagesPerSecond:0} /s"),
    };
}
