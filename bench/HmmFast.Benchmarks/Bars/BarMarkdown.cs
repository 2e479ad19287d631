using System.Globalization;
using System.Text;

namespace HmmFast.Benchmarks.Bars;

/// <summary>A result file for people: every bar with its spread and what stands in its way, what was not measured, every timing.</summary>
internal static class BarMarkdown
{
    public static string Of(BarReport.ResultFile file, IReadOnlyList<string> plots, BarReasons reasons)
    {
        var text = new StringBuilder();
        MachineNote machine = file.Machine;
        Line(text, $"# {machine.Cpu}\n");
        Line(text, $"{machine.Cores} logical processors, {machine.MemoryMiB} MiB, {machine.Os}, {machine.Runtime}, {machine.Isa}.");
        Line(text, $"{file.Method} {file.Rounds} rounds.\n");
        foreach (RunNote run in file.Runs ?? [])
        {
            string which = file.Runs!.Count > 1 ? $" Groups: {string.Join(", ", run.Groups)}." : "";
            Line(text, $"- {run.Text}{which}");
        }

        text.Append('\n');
        foreach (string plot in plots)
        {
            Line(text, $"![pages a second against size]({plot})\n");
        }

        Bars(text, file.Bars, reasons, machine.Isa);
        Missing(text, file.Bars);
        Timings(text, file.Timings);
        return text.ToString();
    }

    private static void Bars(StringBuilder text, IReadOnlyList<BarResult> bars, BarReasons reasons, string isa)
    {
        Line(text, $"Of {bars.Count(static bar => bar.IsMet || bar.IsMissed)} bars {bars.Count(static bar => bar.IsMet)} are met; {bars.Count(static bar => bar.NotMeasured.Length > 0)} were not measured.");
        Line(text, $"The spread is the lowest and the highest ratio of one round.\n");
        Line(text, $"| work | pages | measure | value | spread | bar | |");
        Line(text, $"|---|---:|---|---:|---|---:|---|");
        foreach (BarResult bar in bars.Where(static bar => bar.NotMeasured.Length == 0))
        {
            string spread = bar.Highest > 0 ? string.Create(CultureInfo.InvariantCulture, $"{bar.Lowest:0.00} – {bar.Highest:0.00}") : "";
            string asked = bar.IsInformation ? "" : string.Create(CultureInfo.InvariantCulture, $"{(bar.MustStayBelow ? "≤" : "≥")} {bar.Bar:0.##}");
            string state = bar.IsInformation ? "for information" : bar.IsMet ? "met" : "**not met**";
            string how = bar.Isa.Length == 0 || bar.Isa == isa ? "" : $" [{bar.Isa}]";
            string note = bar.Note.Length == 0 ? "" : $" {bar.Note}";
            string reason = bar.IsMissed ? $"; {reasons.For(bar) ?? "no reason given yet"}" : "";
            Line(text, $"| {bar.Work} | {bar.PageCount:n0} | {bar.Measure} | {bar.Value:0.00} | {spread} | {asked} | {state}{how}{note}{reason} |");
        }
    }

    private static void Missing(StringBuilder text, IReadOnlyList<BarResult> bars)
    {
        BarResult[] missing = [.. bars.Where(static bar => bar.NotMeasured.Length > 0)];
        if (missing.Length == 0)
        {
            return;
        }

        Line(text, $"\n## Not measured\n");
        foreach (BarResult bar in missing)
        {
            Line(text, $"- {bar.Work}, {bar.PageCount:n0} pages{(bar.Measure.Length > 0 ? ", " : "")}{bar.Measure}: {bar.NotMeasured}.");
        }
    }

    private static void Timings(StringBuilder text, IReadOnlyList<Timing> timings)
    {
        Line(text, $"\n## Timings\n\nNanoseconds a page; the spread is the fastest and the slowest round.\n");
        Line(text, $"| what | pages | median | spread | G pages/s |");
        Line(text, $"|---|---:|---:|---|---:|");
        foreach (Timing timing in timings)
        {
            Line(text, $"| {timing.Name} | {timing.PageCount:n0} | {timing.Median:0.000} | {timing.Fastest:0.000} – {timing.Slowest:0.000} | {timing.PagesPerSecond / 1e9:0.000} |");
        }
    }

    private static void Line(StringBuilder text, FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
