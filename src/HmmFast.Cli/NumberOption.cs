using System.CommandLine;
using System.Globalization;

namespace HmmFast.Cli;

/// <summary>Options that take a number, read alike whatever the user's language: digits, a point, no separators of thousands.</summary>
/// <remarks>The library's own conversion takes "0,1" for 1 and "1,000" for 1000, or the other way round in other languages.</remarks>
internal static class NumberOption
{
    /// <summary>An option that takes a number with or without a fraction.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="description">What it says in the help.</param>
    /// <param name="standard">The value when it is not given.</param>
    public static Option<double> Real(string name, string description, double standard) => new(name)
    {
        Description = description,
        HelpName = "NUMBER",
        DefaultValueFactory = _ => standard,
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            const NumberStyles styles = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
            if (!double.TryParse(text, styles, CultureInfo.InvariantCulture, out double value) || !double.IsFinite(value))
            {
                result.AddError($"{name} '{text}' is no number; one has digits and at most one point, such as 0.5, and no comma.");
            }

            return value;
        },
    };

    /// <summary>An option that takes a whole number.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="description">What it says in the help.</param>
    /// <param name="least">The least number taken.</param>
    /// <param name="standard">The value when it is not given; null for none.</param>
    public static Option<int?> Whole(string name, string description, int least, int? standard = null)
    {
        Option<int?> option = new(name)
        {
            Description = description,
            HelpName = "N",
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) || value < least)
                {
                    result.AddError(string.Create(
                        CultureInfo.InvariantCulture,
                        $"{name} '{text}' is no whole number from {least} to {int.MaxValue}, in digits alone."));
                }

                return value;
            },
        };
        if (standard is not null)
        {
            option.DefaultValueFactory = _ => standard;
        }

        return option;
    }
}
