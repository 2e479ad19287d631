using HmmFast.Simulation.Traces;
using HmmFast.Testing;

namespace HmmFast.Conformance.Tests.Traces;

/// <summary>Holds perf-results/coverage-kernel-traces.md to the recordings.</summary>
public sealed class TraceCoverageTests
{
    // Set to 1, the test writes the page instead of comparing it.
    private const string UpdateVariable = "HMMFAST_UPDATE_COVERAGE";

    [Fact]
    public void CoveragePage_ComparedWithTheRecordings_HasNotDrifted()
    {
        TraceCoverage coverage = new();
        foreach (string name in Recordings.Names)
        {
            coverage.Add(Recordings.Read(name));
        }

        string path = Path.Combine(RepositoryRoot.Find(), "perf-results", "coverage-kernel-traces.md");
        if (Environment.GetEnvironmentVariable(UpdateVariable) == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, coverage.ToMarkdown());
        }

        Assert.True(
            File.Exists(path) && File.ReadAllText(path) == coverage.ToMarkdown(),
            $"{path} is not what the recordings say; run this test with {UpdateVariable}=1 to write it anew.");
    }
}
