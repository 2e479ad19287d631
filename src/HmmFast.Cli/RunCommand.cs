using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using HmmFast.Simulation.Captures;
using HmmFast.Simulation.Jobs;
using HmmFast.Simulation.Scenarios;

namespace HmmFast.Cli;

/// <summary><c>hmmfast run</c>: the main job on a capture, a live process or the embedded one.</summary>
public static class RunCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandIo io)
    {
        Option<string> capture = new("--capture") { Description = "A file made by 'hmmfast capture'.", HelpName = "FILE" };
        Option<int?> pid = NumberOption.Whole("--pid", "A live process.", least: 1);
        Option<string> image = new("--process") { Description = "A made-up process in JSON.", HelpName = "FILE" };
        Option<double> share = NumberOption.Real("--share", "Share of the anonymous memory that gpu0 gets, 0 to 1.", 0.5);
        Option<ulong> runSize = SizeOption("--run-size", "Memory that goes to gpu0 together (default: 2MiB).");
        Option<ulong> chunk = SizeOption("--chunk", "Most memory that nic0 faults in one call (default: 16MiB).");
        Option<ulong> gpuMemory = SizeOption("--gpu-memory", "gpu0's memory (default: as much as its share needs).");
        Option<ulong> systemMemory = SizeOption("--system-memory", "System memory (default: as much as the job needs).");
        Option<bool> write = new("--write") { Description = "nic0 asks for write access where the mapping allows it." };
        Option<bool> onlyAsked = new("--only-asked") { Description = "Fault only the pages asked for, not what follows them (the kernel's habit)." };
        Option<bool> verify = new("--verify") { Description = "Run the reference beside the engine and compare every answer." };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        Command command = new("run", "Puts a share of a process on gpu0 and lets a NIC of another owner range-fault all of it; with --policy, compares policies.")
        {
            capture, pid, image, share, runSize, chunk, gpuMemory, systemMemory, write, onlyAsked, verify, json,
        };
        PolicyRun policies = new();
        foreach (Option option in policies.Options)
        {
            command.Options.Add(option);
        }

        command.SetAction(parsed =>
        {
            if (policies.IsAsked(parsed))
            {
                RefuseMainJob(parsed, [share, runSize, chunk, gpuMemory, systemMemory, write, onlyAsked]);
                bool brings = parsed.GetValue(capture) is not null || parsed.GetValue(pid) is not null || parsed.GetValue(image) is not null;
                Capture? own = brings ? Open(parsed.GetValue(capture), parsed.GetValue(pid), parsed.GetValue(image), io) : null;
                return policies.Run(parsed, own, parsed.GetValue(verify), parsed.GetValue(json), io);
            }

            policies.RefuseOthers(parsed);
            MainJobOptions options = new()
            {
                Share = parsed.GetValue(share),
                RunPages = Pages(parsed, runSize) ?? PageOrder.PagesPerBlock,
                ChunkPages = Pages(parsed, chunk) ?? 8 * PageOrder.PagesPerBlock,
                DevicePages = Pages(parsed, gpuMemory),
                SystemFrames = Pages(parsed, systemMemory),
                Write = parsed.GetValue(write),
                FaultHabit = parsed.GetValue(onlyAsked) ? FaultHabit.OnlyAsked : FaultHabit.RunForward,
                Verify = parsed.GetValue(verify),
            };
            if (options.Problem() is { } problem)
            {
                throw new UsageException(problem);
            }

            Capture process = Open(parsed.GetValue(capture), parsed.GetValue(pid), parsed.GetValue(image), io);
            MainJobReport report = ProgressBar.Run(io, "running", progress => RunJob(process, options, progress));
            if (parsed.GetValue(json))
            {
                JsonOutput.Write(io, report);
            }
            else
            {
                RunOutput.Print(io, process, report);
            }

            return report.Verify is { IsEqual: false } ? ExitCode.Different : ExitCode.Ok;
        });
        return command;
    }

    private static void RefuseMainJob(ParseResult parsed, Option[] options)
    {
        foreach (Option option in options)
        {
            if (parsed.GetResult(option) is { Implicit: false })
            {
                throw new UsageException($"{option.Name} belongs to the job without --policy; a scenario file says it for a comparison.");
            }
        }
    }

    private static Capture Open(string? capture, int? pid, string? image, CommandIo io)
    {
        int named = (capture is null ? 0 : 1) + (pid is null ? 0 : 1) + (image is null ? 0 : 1);
        if (named > 1)
        {
            throw new UsageException("--capture, --pid and --process name a process each; only one of them can be used.");
        }

        if (pid is { } id)
        {
            return ProgressBar.Run(io, "capturing", progress => ProcessCapture.Take(id, new ProcessCaptureOptions { Progress = progress }));
        }

        return capture is not null ? CaptureFile.Read(capture)
            : image is not null ? ReadImage(image)
            : ProcessImage.Default();
    }

    private static Capture ReadImage(string path)
    {
        try
        {
            return ProcessImage.Parse(File.ReadAllText(path), path);
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FileNotFoundException($"{path}: there is no such file.", fault);
        }
    }

    // With less memory than is always enough, whatever the job fails for is that.
    private static MainJobReport RunJob(Capture process, MainJobOptions options, IProgress<(ulong Done, ulong Total)>? progress)
    {
        ulong enough = options.SystemFrames is null ? 0 : MainJob.EnoughSystemFrames(process);
        try
        {
            return MainJob.Run(process, options, progress);
        }
        catch (Exception fault) when (options.SystemFrames < enough && fault is CaptureException or MainJobException)
        {
            const ulong pagesPerMebibyte = (1 << 20) / PageOrder.PageSizeBytes;
            ulong mebibytes = (enough + pagesPerMebibyte - 1) / pagesPerMebibyte;
            throw new MainJobException(string.Create(
                CultureInfo.InvariantCulture,
                $"--system-memory {ByteSize.Format(options.SystemFrames.Value * PageOrder.PageSizeBytes)} is too little for this process; {mebibytes}MiB are always enough ({fault.Message})"));
        }
    }

    private static Option<ulong> SizeOption(string name, string description) =>
        new(name)
        {
            Description = description,
            HelpName = "SIZE",
            CustomParser = result => ReadSize(result, name),
        };

    private static ulong ReadSize(ArgumentResult result, string name)
    {
        string text = result.Tokens[0].Value;
        if (!ByteSize.TryParse(text, out ulong bytes) || bytes == 0 || bytes % PageOrder.PageSizeBytes != 0)
        {
            result.AddError(string.Create(
                CultureInfo.InvariantCulture,
                $"{name} '{text}' is no size of whole {PageOrder.PageSizeBytes}-byte pages, such as 2MiB."));
        }

        return bytes;
    }

    private static ulong? Pages(ParseResult parsed, Option<ulong> option) =>
        parsed.GetResult(option) is null ? null : parsed.GetValue(option) / PageOrder.PageSizeBytes;
}
