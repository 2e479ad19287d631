using System.Globalization;
using HmmFast.Simulation.Captures;
using HmmFast.Simulation.Jobs;
using HmmFast.Simulation.Scenarios;
using Spectre.Console;

namespace HmmFast.Cli;

/// <summary>Prints what the main job found.</summary>
internal static class RunOutput
{
    /// <summary>Prints the tables, the caveats and the comparison's verdict.</summary>
    public static void Print(CommandIo io, Capture capture, MainJobReport report)
    {
        PrintProcess(io, capture, report);
        PrintOutcomes(io, report);
        PrintFigures(io, report);
        foreach (string caveat in CaptureCommand.Caveats(capture).Concat(report.Approximations))
        {
            io.Output.WriteLine(caveat);
        }

        if (report.Fidelity.DifferentPages > 0)
        {
            io.Output.WriteLine(Invariant($"{report.Fidelity.DifferentPages:N0} of {report.Fidelity.ComparedPages:N0} captured pages stand otherwise than captured; first: {report.Fidelity.FirstDifference}"));
        }

        if (report.Verify is { } verify)
        {
            io.Output.WriteLine(verify.IsEqual
                ? Invariant($"verify: equal. The reference gave the same {verify.ComparedWords:N0} words, migrations, counters and final state, in {verify.ReferenceSeconds:0.00} s.")
                : $"verify: DIFFERENT. {verify.Difference}");
        }
    }

    private static void PrintProcess(CommandIo io, Capture capture, MainJobReport report)
    {
        CaptureSummary sum = report.Captured;
        string pid = capture.Facts.ProcessId == 0 ? "made up" : Invariant($"pid {capture.Facts.ProcessId}");
        io.Output.WriteLine(Invariant(
            $"{report.Process} ({pid}): {Size(sum.PopulatedPages)} populated of {Size(sum.MappedPages)} mapped, {Size(sum.AnonymousPages)} anonymous; rebuilt in {report.LoadSeconds:0.00} s"));
        io.Output.WriteLine(Invariant(
            $"gpu0 (owner 1) holds {Size(report.PagesPlaced)} of it; nic0 (owner 2) faults everything; policy {report.Policy}"));
    }

    private static void PrintOutcomes(CommandIo io, MainJobReport report)
    {
        Table table = new() { Border = TableBorder.Rounded };
        table.AddColumn("pages by outcome");
        PassReport[] passes = [report.OwnerLooks, report.ClientFaults, report.ClientLooks];
        foreach (PassReport pass in passes)
        {
            table.AddColumn(pass.Name, column => column.RightAligned());
        }

        Row("private", outcomes => outcomes.Private);
        Row("system", outcomes => outcomes.System);
        Row("zero page", outcomes => outcomes.Zero);
        Row("hole", outcomes => outcomes.Hole);
        Row("error", outcomes => outcomes.Error);
        table.AddEmptyRow();
        Row("all", outcomes => outcomes.Total);
        Line("calls", pass => pass.BusyRetries == 0 ? Invariant($"{pass.Calls:N0}") : Invariant($"{pass.Calls:N0} ({pass.BusyRetries:N0} after EBUSY)"));
        Line("failed calls", pass => Invariant($"{pass.FailedCalls:N0}"));
        Line("seconds", pass => Invariant($"{pass.Seconds:0.0000}"));
        Line("pages per second", pass => Units.Rate(pass.PagesPerSecond));
        io.Tables.Write(table);

        void Row(string name, Func<PageOutcomes, ulong> pages) => Line(name, pass => Invariant($"{pages(pass.Outcomes):N0}"));

        void Line(string name, Func<PassReport, string> cell) =>
            table.AddRow([new Text(name), .. passes.Select(pass => new Text(cell(pass)))]);
    }

    private static void PrintFigures(CommandIo io, MainJobReport report)
    {
        Table table = new() { Border = TableBorder.Rounded, ShowHeaders = false };
        table.AddColumn("what");
        table.AddColumn("pages", column => column.RightAligned());
        table.AddColumn("bytes", column => column.RightAligned());
        Row("migrated to gpu0", report.PagesPlaced, Size(report.PagesPlaced));
        Row("  wanted, but stayed", report.PagesNotPlaced, Size(report.PagesNotPlaced));
        Row("migrated back by nic0's faults", report.PagesMigratedBack, Size(report.PagesMigratedBack));
        Row("faults that nic0 caused", report.Faults, "");
        io.Tables.Write(table);

        void Row(string name, ulong pages, string size) =>
            table.AddRow(new Text(name), new Text(Invariant($"{pages:N0}")), new Text(size));
    }

    private static string Size(ulong pages) => ByteSize.Format(pages * PageOrder.PageSizeBytes);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
