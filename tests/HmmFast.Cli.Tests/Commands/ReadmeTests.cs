using System.Text.RegularExpressions;
using HmmFast.Testing;

namespace HmmFast.Cli.Tests.Commands;

/// <summary>What README and the architecture page tell people to type must be something that the command takes, and their links must lead somewhere.</summary>
public sealed partial class ReadmeTests
{
    public static TheoryData<string> Pages => ["README.md", "src/README.md", "docs/policies.md", "docs/scenarios.md"];

    [Fact]
    public void Readme_EveryCommandLine_Parses()
    {
        string[] lines = [.. CommandLine().Matches(File.ReadAllText(Path.Combine(RepositoryRoot.Find(), "README.md"))).Select(match => match.Groups[1].Value.Trim())];
        Assert.Contains("run", lines);
        foreach (string line in lines)
        {
            // Asked for help, a command checks its own name and options and does nothing.
            string[] args = [.. line.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"];
            CommandRun run = CommandRun.Of(args);
            Assert.True(run.ExitCode == ExitCode.Ok && run.Output.Contains($" {args[0]} ", StringComparison.Ordinal), $"'{line}': {run.Error}{run.Output}");
            foreach (string option in args[1..^1].Where(word => word.StartsWith('-')))
            {
                Assert.True(run.Output.Contains(option.Split('=')[0], StringComparison.Ordinal), $"'{line}': {option} is no option of it");
            }
        }
    }

    /// <summary>The one with an own process on the machine that the project brings along; it must run from a clone.</summary>
    [Fact]
    public void Readme_ComparisonOnAProcess_RunsFromAClone()
    {
        string root = RepositoryRoot.Find();
        string line = CommandLine().Matches(File.ReadAllText(Path.Combine(root, "README.md")))
            .Select(match => match.Groups[1].Value.Trim())
            .Single(line => line.Contains("--process", StringComparison.Ordinal));
        CommandRun run = CommandRun.Of([.. line.Split(' ').Select(word => word.EndsWith(".json", StringComparison.Ordinal) ? Path.Combine(root, word) : word)]);
        Assert.Equal((ExitCode.Ok, ""), (run.ExitCode, run.Error));
        Assert.Contains("verify: equal", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Page_EveryRelativeLink_LeadsToAFile(string page)
    {
        string path = Path.Combine(RepositoryRoot.Find(), page);
        foreach (Match match in Link().Matches(File.ReadAllText(path)))
        {
            string target = match.Groups[1].Value;
            if (!target.Contains("://", StringComparison.Ordinal) && !target.StartsWith('#'))
            {
                string file = Path.Combine(Path.GetDirectoryName(path)!, target.Split('#')[0]);
                Assert.True(File.Exists(file) || Directory.Exists(file), $"{page} links to {target}");
            }
        }
    }

    [GeneratedRegex(@"dotnet run -c Release --project src/HmmFast\.Cli -- ([^\n`|>#]+)")]
    private static partial Regex CommandLine();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();
}
