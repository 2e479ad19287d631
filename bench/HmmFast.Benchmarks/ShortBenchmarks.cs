using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using HmmFast.Benchmarks.Bars;

namespace HmmFast.Benchmarks;

/// <summary>The range fault benchmarks under BenchmarkDotNet for a few iterations, kept beside the bars: another harness's look at the same work.</summary>
internal static class ShortBenchmarks
{
    private const string FileName = "benchmarkdotnet.md";

    /// <summary>Runs them and writes perf-results/CPU/benchmarkdotnet.md.</summary>
    /// <param name="resultsRoot">Folder of the folders of machines.</param>
    /// <param name="isSmoke">Once each, at the smallest size.</param>
    /// <returns>0 when every benchmark ran.</returns>
    public static int Run(string resultsRoot, bool isSmoke)
    {
        if (isSmoke)
        {
            Environment.SetEnvironmentVariable("HMMFAST_BENCH_SMOKE", "1");
        }

        IConfig config = ManualConfig.CreateEmpty()
            .AddJob((isSmoke ? Job.Dry : Job.ShortRun).WithToolchain(InProcessEmitToolchain.Instance))
            .AddLogger(NullLogger.Instance)
            .AddColumnProvider(DefaultColumnProviders.Instance)
            .AddDiagnoser(BenchmarkDotNet.Diagnosers.MemoryDiagnoser.Default)
            .WithArtifactsPath(Path.Combine(Path.GetTempPath(), "hmmfast-benchmarkdotnet"))
            .WithOptions(ConfigOptions.DisableOptimizationsValidator | ConfigOptions.DisableLogFile);
        string folder = Path.Combine(resultsRoot, MachineNote.Current.Folder);
        Directory.CreateDirectory(folder);
        using var file = new StreamWriter(Path.Combine(folder, FileName));
        file.WriteLine("# The same range faults under BenchmarkDotNet");
        file.WriteLine();
        file.WriteLine("A short job, in one process; for the ratios that are quoted see [bars](bars.md), where contenders take turns. Made by `bench/run.sh`.");
        int failed = 0;
        foreach (Type type in (Type[])[typeof(RangeFaultBenchmarks), typeof(ReferenceRangeFaultBenchmarks)])
        {
            Summary summary = BenchmarkRunner.Run(type, config);
            failed += summary.Reports.Count(static report => !report.Success) + (summary.HasCriticalValidationErrors ? 1 : 0);
            var text = new AccumulationLogger();
            MarkdownExporter.GitHub.ExportToLog(summary, text);
            file.WriteLine();
            file.WriteLine(text.GetLog().Trim());
            Console.WriteLine($"benchmarks of {type.Name}: {summary.Reports.Count(static report => report.Success)} ran, {summary.Reports.Count(static report => !report.Success)} failed");
        }

        return failed == 0 ? 0 : 1;
    }
}
