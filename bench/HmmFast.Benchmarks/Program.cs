using System.CommandLine;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using HmmFast.Benchmarks;
using HmmFast.Benchmarks.Bars;

// hmmfast benchmarks: `bars` measures every bar in one process, `smoke` runs every BenchmarkDotNet class once at its smallest size,
// `run` hands its arguments to BenchmarkDotNet.
var roundsOption = new Option<int>("--rounds") { Description = "Rounds per contender; the median is quoted.", DefaultValueFactory = _ => 9 };
var largestOption = new Option<ulong>("--largest") { Description = "Largest size in pages.", DefaultValueFactory = _ => 1UL << 24 };
var resultsOption = new Option<string?>("--results") { Description = "Folder for the result files; without it nothing is written." };
var baselinesOption = new Option<string?>("--baselines") { Description = "Folder of the built C programs of bench/c." };
var filterOption = new Option<string?>("--filter") { Description = "Only groups of bars whose name contains this text." };
var exactOption = new Option<bool>("--exact-only") { Description = "Fail on exact counts alone, not on times: for runs on busy machines and at small sizes." };
var bars = new Command("bars", "Measures every bar in one process, contenders taking turns.") { roundsOption, largestOption, resultsOption, baselinesOption, filterOption, exactOption };
bars.SetAction(result => BarCatalog.Run(
    new BarSession(result.GetValue(roundsOption), result.GetValue(largestOption)),
    result.GetValue(resultsOption),
    result.GetValue(baselinesOption),
    result.GetValue(filterOption),
    gate: !result.GetValue(exactOption)));

var smoke = new Command("smoke", "Runs every benchmark once, at its smallest size, and every bar at a small size: does everything still run?");
smoke.SetAction(_ =>
{
    IConfig config = ManualConfig.CreateEmpty()
        .AddJob(Job.Dry.WithToolchain(InProcessEmitToolchain.Instance))
        .AddLogger(BenchmarkDotNet.Loggers.NullLogger.Instance)
        .AddColumnProvider(BenchmarkDotNet.Columns.DefaultColumnProviders.Instance)
        .WithOptions(ConfigOptions.DisableOptimizationsValidator | ConfigOptions.JoinSummary);
    Environment.SetEnvironmentVariable("HMMFAST_BENCH_SMOKE", "1");
    int failed = 0;
    int ran = 0;
    foreach (BenchmarkDotNet.Reports.Summary summary in BenchmarkSwitcher.FromAssembly(typeof(BarCatalog).Assembly).Run(["--filter", "*"], config))
    {
        foreach (BenchmarkDotNet.Reports.BenchmarkReport report in summary.Reports)
        {
            ran++;
            if (!report.Success)
            {
                failed++;
                Console.WriteLine($"failed: {report.BenchmarkCase.DisplayInfo}");
            }
        }
    }

    Console.WriteLine($"benchmarks: {ran - failed} passed, {failed} failed");
    int unmeasured = BarCatalog.Run(new BarSession(1, 1 << 14), null, null, null, gate: false);
    return failed == 0 && unmeasured == 0 ? 0 : 1;
});

var run = new Command("run", "Hands every following argument to BenchmarkDotNet.") { TreatUnmatchedTokensAsErrors = false };
run.SetAction(result => BenchmarkSwitcher.FromAssembly(typeof(BarCatalog).Assembly).Run([.. result.UnmatchedTokens]).Any() ? 0 : 1);

var smokeOption = new Option<bool>("--smoke") { Description = "Once each, at the smallest size." };
var resultsFolderOption = new Option<string>("--results") { Description = "Folder for the result files.", Required = true };
var brief = new Command("brief", "Runs the range fault benchmarks under BenchmarkDotNet for a few iterations and keeps the tables.") { resultsFolderOption, smokeOption };
brief.SetAction(result => ShortBenchmarks.Run(result.GetValue(resultsFolderOption)!, result.GetValue(smokeOption)));

var outOption = new Option<string>("--out") { Description = "File for the results.", Required = true };
var widths = new Command("widths", "Measures the snapshot with the vector instructions that this process has; `bars` starts it with fewer.") { roundsOption, largestOption, outOption };
widths.SetAction(result => EngineWidthBars.MeasureHere(new BarSession(result.GetValue(roundsOption), result.GetValue(largestOption)), result.GetValue(outOption)!));

var reportOption = new Option<string>("--results") { Description = "Folder of the result files.", DefaultValueFactory = _ => "perf-results" };
var report = new Command("report", "Makes the Markdown and plots of the result files again, after reasons were written.") { reportOption };
report.SetAction(result => BarReport.Remake(result.GetValue(reportOption)!, "bars"));

return new RootCommand("Benchmarks of HmmFast.") { bars, smoke, run, brief, report, widths }.Parse(args).Invoke();
