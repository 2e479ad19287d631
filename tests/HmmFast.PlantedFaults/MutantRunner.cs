using System.Diagnostics;

namespace HmmFast.PlantedFaults;

/// <summary>How a check ended on a mutant.</summary>
public enum MutantFate
{
    /// <summary>The check failed, as it must.</summary>
    Caught,

    /// <summary>The mutant's process died: what a fault that leaves a guarded buffer must do, and no other may.</summary>
    Crashed,

    /// <summary>The mutant ran past the time limit: noticed, too.</summary>
    Hung,

    /// <summary>The check passed: it does not bite.</summary>
    Survived,

    /// <summary>The fault could not be planted.</summary>
    Broken,
}

/// <summary>Runs a named check of HmmFast.Properties as a child process over a directory with a mutated assembly.</summary>
public sealed class MutantRunner(string buildDirectory, TimeSpan limit)
{
    private const int CheckFailedExitCode = 1;

    /// <summary>A fresh directory that links to the finished build's files.</summary>
    public string PrepareDirectory(string name)
    {
        string directory = Path.Combine(Path.GetTempPath(), $"hmmfast-fault-{Environment.ProcessId}-{name}");
        Directory.CreateDirectory(directory);
        CopyTree(buildDirectory, directory);
        return directory;
    }

    /// <summary>Runs the check.</summary>
    public (MutantFate Fate, string Detail) Run(string directory, string check, int? seed)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal) ? Environment.ProcessPath : "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.ArgumentList.Add(Path.Combine(directory, "HmmFast.Properties.dll"));
        start.ArgumentList.Add(check);
        if (seed is not null)
        {
            start.ArgumentList.Add("--seed");
            start.ArgumentList.Add(seed.Value.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }

        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(limit))
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            return (MutantFate.Hung, $"no end after {limit.TotalSeconds:0} s");
        }

        string firstLine = FirstLine(output.Result) ?? FirstLine(error.Result) ?? "";
        return process.ExitCode switch
        {
            0 => (MutantFate.Survived, firstLine),
            CheckFailedExitCode => (MutantFate.Caught, firstLine),
            2 => (MutantFate.Broken, firstLine),
            _ => (MutantFate.Crashed, $"exit code {process.ExitCode}: {error.Result.Split('\n').FirstOrDefault(line => line.StartsWith("Fatal error", StringComparison.Ordinal)) ?? firstLine}"),
        };
    }

    private static string? FirstLine(string text)
    {
        string line = text.Split('\n', 2)[0].Trim();
        return line.Length == 0 ? null : line;
    }

    private static void CopyTree(string from, string to)
    {
        foreach (string file in Directory.EnumerateFiles(from))
        {
            string target = Path.Combine(to, Path.GetFileName(file));

            // The host resolves links of the program itself to where they point, so our own assemblies are real files.
            if (OperatingSystem.IsWindows() || Path.GetFileName(file).StartsWith("HmmFast.", StringComparison.Ordinal))
            {
                File.Copy(file, target);
            }
            else
            {
                File.CreateSymbolicLink(target, file);
            }
        }

        foreach (string directory in Directory.EnumerateDirectories(from))
        {
            string target = Path.Combine(to, Path.GetFileName(directory));
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(target);
                CopyTree(directory, target);
            }
            else
            {
                Directory.CreateSymbolicLink(target, directory);
            }
        }
    }
}
