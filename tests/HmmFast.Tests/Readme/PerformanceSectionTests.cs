using HmmFast.Testing;
using HmmFast.Tests.Architecture;

namespace HmmFast.Tests.Readme;

public sealed class PerformanceSectionTests
{
    private const string Sample = """
        { "machine": { "cpu": "Test CPU 9", "cores": 2, "memoryMiB": 2048, "os": "Linux 6", "runtime": ".NET 10", "isa": "AVX2", "cacheBytes": [] },
          "method": "Turns.", "rounds": 3,
          "bars": [ { "work": "resolve", "pageCount": 16777216, "measure": "of memcpy", "value": 1.25, "bar": 2, "mustStayBelow": false, "note": "cold", "isMet": false },
                    { "work": "memory", "pageCount": 4096, "measure": "bytes a page", "value": 5.0, "bar": 5.1, "mustStayBelow": true, "note": "", "isMet": true } ],
          "timings": [ { "name": "a", "pageCount": 4096, "fastest": 1.0, "median": 1.1, "slowest": 1.5 } ] }
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
    public void Make_ResultFile_SaysWhatIsNotMet()
    {
        string folder = Directory.CreateTempSubdirectory("hmmfast-perf-").FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(folder, "test-cpu-9"));
            File.WriteAllText(Path.Combine(folder, "test-cpu-9", "bars.json"), Sample);
            string section = PerformanceSection.Make(folder);
            Assert.Contains("**Test CPU 9**, 2 logical processors, 2 GiB, AVX2", section, StringComparison.Ordinal);
            Assert.Contains("1 of 2 bars are met", section, StringComparison.Ordinal);
            Assert.Contains("1.50 times", section, StringComparison.Ordinal);
            Assert.Contains("| resolve | 16,777,216 | of memcpy | 1.25 | ≥ 2 | **not met**; cold |", section, StringComparison.Ordinal);
            Assert.Contains("- resolve, 16,777,216 pages: of memcpy 1.25, bar ≥ 2 cold", section, StringComparison.Ordinal);
            Assert.Contains("| memory | 4,096 | bytes a page | 5.00 | ≤ 5.1 | met |", section, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
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
