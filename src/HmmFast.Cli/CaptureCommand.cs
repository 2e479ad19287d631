using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using HmmFast.Simulation.Captures;
using HmmFast.Simulation.Scenarios;
using Spectre.Console;

namespace HmmFast.Cli;

/// <summary><c>hmmfast capture</c>: a live process's memory into a file.</summary>
public static class CaptureCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandIo io)
    {
        Option<int?> pid = NumberOption.Whole("--pid", "The process.", least: 1);
        pid.Required = true;
        Option<string> output = new("--output", "-o") { Description = "The file to write; replaced if it exists.", Required = true, HelpName = "FILE" };
        Option<string> method = new("--method") { Description = "How pages are read: auto, scan (PAGEMAP_SCAN) or plain.", DefaultValueFactory = _ => "auto" };
        method.AcceptOnlyFromAmong("auto", "scan", "plain");
        Option<bool> withoutFrames = new("--without-frames") { Description = "Leave the kernel's frame numbers out." };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        Command command = new("capture", "Reads a live Linux process from /proc into a compact file, without stopping it.") { pid, output, method, withoutFrames, json };
        command.SetAction(parsed =>
        {
            ProcessCaptureOptions options = new()
            {
                Method = parsed.GetValue(method) switch { "scan" => PageScanMethod.PagemapScan, "plain" => PageScanMethod.PlainReads, _ => PageScanMethod.Auto },
                WithoutFrames = parsed.GetValue(withoutFrames),
            };
            long started = Stopwatch.GetTimestamp();
            Capture capture = ProgressBar.Run(io, "capturing", report => ProcessCapture.Take(
                parsed.GetRequiredValue(pid)!.Value,
                options with { Progress = report }));
            double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            string path = parsed.GetRequiredValue(output);
            long sizeBytes = CaptureFile.Write(path, capture);
            if (parsed.GetValue(json))
            {
                JsonOutput.Write(io, new { file = path, sizeBytes, seconds, facts = capture.Facts, pages = capture.Summary });
            }
            else
            {
                Print(io, capture, path, sizeBytes, seconds);
            }

            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>Prints what a capture holds.</summary>
    internal static void PrintSummary(CommandIo io, Capture capture)
    {
        CaptureSummary sum = capture.Summary;
        Table table = new() { Border = TableBorder.Rounded };
        table.AddColumn("pages");
        table.AddColumn("count", column => column.RightAligned());
        table.AddColumn("size", column => column.RightAligned());
        Row("mapped", sum.MappedPages);
        Row("present", sum.PresentPages);
        Row("  anonymous", sum.AnonymousPages);
        Row("    shared with other processes", sum.SharedAnonymousPages);
        Row("  file or shared memory", sum.FileOrSharedPages);
        Row("  zero page", sum.ZeroPages);
        Row("  in 2 MiB entries", sum.HugePages);
        Row("swapped", sum.SwappedPages);
        io.Tables.Write(table);

        void Row(string name, ulong pages) =>
            table.AddRow(new Text(name), new Text(pages.ToString("N0", CultureInfo.InvariantCulture)), new Text(ByteSize.Format(pages * PageOrder.PageSizeBytes)));
    }

    /// <summary>What a reader of a capture must know to take it for what it is, one sentence each.</summary>
    internal static IEnumerable<string> Caveats(Capture capture)
    {
        CaptureFacts facts = capture.Facts;
        if (facts.FrameSource == FrameSource.Synthetic)
        {
            yield return facts.ProcessId == 0
                ? "The process and its frame numbers are made up."
                : "Frame numbers are made up: the reader may not see the kernel's (root may), or asked for none.";
        }

        if (!facts.KnowsHugePages)
        {
            yield return "Huge pages are not known: plain reads without frame numbers cannot tell them.";
        }

        if (!facts.KnowsZeroPages)
        {
            yield return "Zero pages are not known and count as anonymous: plain reads without frame numbers cannot tell them.";
        }

        if (facts.LayoutChanged)
        {
            yield return "The process changed its mappings while it was read: the capture mixes two moments.";
        }

        if (facts.SkippedVmaCount > 0)
        {
            yield return $"{facts.SkippedVmaCount} mapping(s) outside user address space left out (vsyscall).";
        }
    }

    private static void Print(CommandIo io, Capture capture, string path, long sizeBytes, double seconds)
    {
        CaptureFacts facts = capture.Facts;
        string how = facts.Method == PageScanMethod.PagemapScan ? "PAGEMAP_SCAN" : "plain reads";
        io.Output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{facts.ProcessName} (pid {facts.ProcessId}): {capture.Vmas.Length} VMAs read by {how} in {seconds:F2} s"));
        PrintSummary(io, capture);
        foreach (string caveat in Caveats(capture))
        {
            io.Output.WriteLine(caveat);
        }

        io.Output.WriteLine($"{path}: {ByteSize.Format((ulong)sizeBytes)} written");
    }
}
