using System.Globalization;

namespace HmmFast.Benchmarks.Bars;

/// <summary>What stands in the way of bars that are not met, by hand: the table in reasons.md beside a machine's results.</summary>
public sealed class BarReasons
{
    /// <summary>The file's name.</summary>
    public const string FileName = "reasons.md";

    private const string EverySize = "all";
    private readonly List<(string Work, string Measure, string Pages, string Reason)> _rows = [];

    private BarReasons()
    {
    }

    /// <summary>Reads a folder's table; empty where there is none.</summary>
    public static BarReasons Read(string folder)
    {
        var reasons = new BarReasons();
        string path = Path.Combine(folder, FileName);
        foreach (string line in File.Exists(path) ? File.ReadLines(path) : [])
        {
            string[] cells = [.. line.Split('|').Select(static cell => cell.Trim())];
            if (cells.Length == 6 && !cells[1].StartsWith('-') && cells[1] != "work")
            {
                reasons._rows.Add((cells[1], cells[2], cells[3], cells[4]));
            }
        }

        return reasons;
    }

    /// <summary>The reason for a bar, or null: the row of its size, else the one for all sizes.</summary>
    public string? For(BarResult bar)
    {
        string size = bar.PageCount.ToString("n0", CultureInfo.InvariantCulture);
        return _rows.Where(row => row.Work == bar.Work && row.Measure == bar.Measure && (row.Pages == size || row.Pages == EverySize))
            .OrderBy(static row => row.Pages == EverySize)
            .Select(static row => row.Reason)
            .FirstOrDefault(static reason => reason.Length > 0);
    }

    /// <summary>A row to be filled in by hand.</summary>
    public static string EmptyRow(BarResult bar) => string.Create(CultureInfo.InvariantCulture, $"| {bar.Work} | {bar.Measure} | {bar.PageCount:n0} | |");
}
