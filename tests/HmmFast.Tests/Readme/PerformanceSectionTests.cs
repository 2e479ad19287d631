using HmmFast.Testing;
using HmmFast.Tests.Architecture;

namespace HmmFast.Tests.Readme;

public sealed class PerformanceSectionTests
{
    private const string Sample = """
        { "machine": { "cpu": "Test CPU 9", "cores": 2, "memoryMiB": 2048, "os": "Linux 6", "runtime": ".NET 10", "isa": "AVX2", "cacheBytes": [] },
          "method": "Turns.", "rounds": 3,
          "bars": [ { "work": "resolve", "pageCount": 16777216, "measure": "of memcpy", "value": 1.25, "bar": 2, "mustStayBelow": false, "note": "cold", "isMet": false, "lowest": 1.1, "highest": 1.4 },
                    { "work": "walk", "pageCount": 4096, "measure": "x", "value": 0, "bar": 0, "mustStayBelow": false, "note": "", "notMeasured": "no compiler" },
                    { "work": "beside", "pageCount": 4096, "measure": "x", "value": 3.5, "bar": 0, "mustStayBelow": false, "note": "", "isInformation": true },
                    { "work": "memory", "pageCount": 4096, "measure": "bytes a page", "value": 5.0, "bar": 5.1, "mustStayBelow": true, "note": "", "isMet": true } ],
          "timings": [ { "name": "a", "pageCount": 4096, "fastest": 1.0, "median": 1.1, "slowest": 1.5 } ],
          "runs": [ { "commit": "0123456789abcdef", "hasLocalChanges": true, "startedUtc": "2026-02-03T04:05:06+00:00", "elapsedSeconds": 90, "loadBefore": "0.10 0.20 0.30", "transparentHugePages": "madvise" } ] }
        """;

    private const string Older = """
        { "machine": { "cpu": "Old CPU 3", "cores": 2, "memoryMiB": 2048, "os": "Linux 6", "runtime": ".NET 10", "isa": "AVX2", "cacheBytes": [] },
          "method": "Turns.", "rounds": 3, "bars": [], "timings": [] }
        """;

    /// <summary>Set HMMFAST_UPDATE_README=1 to write the section instead of comparing it.</summary>
    [Fact]
    public void Readme_PerformanceSection_IsMadeFromTheResultFiles()
    {
        string root = RepositoryRoot.Find();
        string path = Path.Combine(root, "README.md");
        string readme = File.ReadAllText(path);
        string expected = PerformanceSection.Make(Path.Combine(root, "perf-results"));
        if (Environment.GetEnvironmentVariable("HMMFAST_UPDATE_README") == "1")
        {
            File.WriteAllText(path, PerformanceSection.Replace(readme, expected));
            return;
        }

        Assert.True(
            PerformanceSection.Read(readme) == expected,
            "README's performance section differs from perf-results. Run the tests once with HMMFAST_UPDATE_README=1 to remake it.");
    }

    [Fact]
    public void Make_ResultFiles_NewestInFullWithReasonsAndOthersNamed()
    {
        string folder = Directory.CreateTempSubdirectory("hmmfast-perf-").FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(folder, "test-cpu-9"));
            Directory.CreateDirectory(Path.Combine(folder, "old-cpu-3"));
            File.WriteAllText(Path.Combine(folder, "test-cpu-9", "bars.json"), Sample);
            File.WriteAllText(Path.Combine(folder, "test-cpu-9", "reasons.md"), "| work | measure | pages | reason |\n|---|---|---:|---|\n| resolve | of memcpy | all | too slow |\n");
            File.WriteAllText(Path.Combine(folder, "old-cpu-3", "bars.json"), Older);
            string section = PerformanceSection.Make(folder);
            Assert.Contains("**Test CPU 9**, 2 logical processors, 2 GiB, AVX2", section, StringComparison.Ordinal);
            Assert.Contains("1 of 2 bars are met, 1 were not measured", section, StringComparison.Ordinal);
            Assert.Contains("1.50 times", section, StringComparison.Ordinal);
            Assert.Contains("Commit 0123456789ab with local changes, 2026-02-03, 1.5 minutes, load before 0.10 0.20 0.30, transparent huge pages madvise.", section, StringComparison.Ordinal);
            Assert.Contains("| resolve | 16,777,216 | of memcpy | 1.25 | 1.10 – 1.40 | ≥ 2 | **not met**; cold; too slow |", section, StringComparison.Ordinal);
            Assert.Contains("- resolve, 16,777,216 pages: of memcpy 1.25, bar ≥ 2 cold: too slow", section, StringComparison.Ordinal);
            Assert.Contains("| memory | 4,096 | bytes a page | 5.00 |  | ≤ 5.1 | met |", section, StringComparison.Ordinal);
            Assert.Contains("| beside | 4,096 | x | 3.50 |  |  |  |", section, StringComparison.Ordinal);
            Assert.Contains("- walk, 4,096 pages: no compiler", section, StringComparison.Ordinal);
            Assert.Contains("- Old CPU 3, AVX2: 0 of 0 bars are met, [perf-results/old-cpu-3](perf-results/old-cpu-3/bars.md)", section, StringComparison.Ordinal);
            Assert.DoesNotContain("**Old CPU 3**", section, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A bar that is not met is shown with what stands in its way: a row of reasons.md beside the newest results.</summary>
    [Fact]
    public void NewestResults_BarsNotMet_EachHasAReason()
    {
        string results = Path.Combine(RepositoryRoot.Find(), "perf-results");
        string newest = Directory.GetFiles(results, "bars.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal).MaxBy(static file => PerformanceResults.Read(file).StartedUtc)!;
        IReadOnlyDictionary<(string, string, string), string> reasons = PerformanceResults.ReadReasons(Path.GetDirectoryName(newest)!);
        string[] lacking = [.. PerformanceResults.Read(newest).Bars.Where(bar => bar.IsMissed && PerformanceResults.ReasonOf(reasons, bar) is null)
            .Select(static bar => FormattableString.Invariant($"| {bar.Work} | {bar.Measure} | {bar.PageCount:N0} | |"))];
        Assert.True(lacking.Length == 0, $"reasons.md beside {Path.GetFileName(Path.GetDirectoryName(newest))}'s results lacks:\n{string.Join('\n', lacking)}");
    }

    [Fact]
    public void Replace_ThenRead_GivesTheSectionAndKeepsTheRest()
    {
        const string readme = $"before\n{PerformanceSection.Begin}\nold\n{PerformanceSection.End}\nafter\n";
        string replaced = PerformanceSection.Replace(readme, "\nnew\n");
        Assert.Equal("\nnew\n", PerformanceSection.Read(replaced));
        Assert.StartsWith("before\n", replaced, StringComparison.Ordinal);
        Assert.EndsWith("after\n", replaced, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nothing here")]
    [InlineData(PerformanceSection.End + PerformanceSection.Begin)]
    public void Read_MarksMissing_Refused(string readme) => Assert.Throws<InvalidDataException>(() => PerformanceSection.Read(readme));
}
