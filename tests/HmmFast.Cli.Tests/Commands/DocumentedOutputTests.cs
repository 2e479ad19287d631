using System.Globalization;
using System.Text.RegularExpressions;
using HmmFast.Policies;
using HmmFast.Simulation.Comparison;
using HmmFast.Testing;

namespace HmmFast.Cli.Tests.Commands;

/// <summary>Output shown in the documents is what the command prints. With HMMFAST_UPDATE_DOCS=1 the documents are rewritten instead.</summary>
public sealed partial class DocumentedOutputTests
{
    public static TheoryData<string> Pages => ["README.md"];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Page_EveryShownOutput_IsWhatTheCommandPrints(string page)
    {
        string path = Path.Combine(RepositoryRoot.Find(), page);
        string text = File.ReadAllText(path);
        Dictionary<string, string[]> runs = [];
        string updated = Block().Replace(text, match =>
        {
            string command = match.Groups["command"].Value.Trim();
            if (!runs.TryGetValue(command, out string[]? lines))
            {
                CommandRun run = CommandRun.Of(command.Split(' ', StringSplitOptions.RemoveEmptyEntries));
                Assert.True(run.ExitCode == ExitCode.Ok, run.Error);
                lines = [.. run.Output.Split('\n').Select(line => line.TrimEnd())];
                runs.Add(command, lines);
            }

            int first = int.Parse(match.Groups["first"].Value, CultureInfo.InvariantCulture);
            int last = int.Parse(match.Groups["last"].Value, CultureInfo.InvariantCulture);
            Assert.True(last <= lines.Length, $"'{command}' prints {lines.Length} lines; {page} shows up to {last}");
            return $"{match.Groups["head"].Value}```\n{string.Join('\n', lines[(first - 1)..last])}\n```";
        });
        if (IsUpdating)
        {
            File.WriteAllText(path, updated);
            return;
        }

        Assert.NotEmpty(runs);
        Assert.True(text == updated, $"{page} shows output that the command no longer prints; run this test with HMMFAST_UPDATE_DOCS=1 and look at the change");
    }

    /// <summary>A block of a timed run: all that is no time and no speed is what the command prints.</summary>
    [Fact]
    public void Readme_CountsOfTimedRuns_AreWhatTheCommandPrints()
    {
        MatchCollection blocks = CountBlock().Matches(File.ReadAllText(Path.Combine(RepositoryRoot.Find(), "README.md")));
        Assert.NotEmpty(blocks);
        foreach (Match block in blocks)
        {
            CommandRun run = CommandRun.Of(block.Groups["command"].Value.Trim().Split(' ', StringSplitOptions.RemoveEmptyEntries));
            Assert.True(run.ExitCode == ExitCode.Ok, run.Error);
            string[] shown = Untimed(block.Groups["text"].Value);
            Assert.Contains(shown, line => line.Contains("system", StringComparison.Ordinal));
            Assert.Equal(Untimed(run.Output), shown);
        }
    }

    [Fact]
    public void PoliciesPage_EveryRowOfEveryTable_IsWhatTheComparisonGives()
    {
        string path = Path.Combine(RepositoryRoot.Find(), "docs", "policies.md");
        string text = File.ReadAllText(path);
        int rows = 0;
        foreach (string name in ScenarioReader.EmbeddedNames)
        {
            PolicyScenario scenario = ScenarioReader.Open(name);
            int at = text.IndexOf(scenario.Description, StringComparison.Ordinal);
            Assert.True(at >= 0, $"docs/policies.md does not speak of the scenario {name}");
            int end = text.IndexOf("\n#", at, StringComparison.Ordinal);
            end = end < 0 ? text.Length : end;
            PolicyComparisonReport report = PolicyComparison.Run(scenario, scenario.OpenMemory(), PolicyCatalog.All, [FaultHabit.RunForward]);
            Assert.Contains(string.Create(CultureInfo.InvariantCulture, $" {report.PageCount:N0} pages."), text[at..end], StringComparison.Ordinal);
            if (IsUpdating)
            {
                text = text[..at] + Rows(text[at..end], report) + text[end..];
                continue;
            }

            HashSet<string> spoken = [];
            foreach (Match row in Row().Matches(text[at..end]))
            {
                rows++;
                CheckRow(name, row, report, spoken);
            }

            Assert.Equal(PolicyCatalog.All.Count, spoken.Count);
        }

        if (IsUpdating)
        {
            File.WriteAllText(path, text);
            return;
        }

        Assert.True(rows > 30);
    }

    private static bool IsUpdating => Environment.GetEnvironmentVariable("HMMFAST_UPDATE_DOCS") == "1";

    /// <summary>A section with its table's rows made anew: policies with the same counts share one.</summary>
    private static string Rows(string section, PolicyComparisonReport report)
    {
        MatchCollection old = Row().Matches(section);
        int first = section.IndexOf("---:|\n", StringComparison.Ordinal) + "---:|\n".Length;
        int end = old.Count == 0 ? first : old[^1].Index + old[^1].Value.TrimEnd().Length;
        IEnumerable<string> rows = report.Results
            .GroupBy(result => string.Join(" | ", Expected(result).Select(number => number.ToString("N0", CultureInfo.InvariantCulture))))
            .Select(group => $"| {string.Join(", ", group.Select(result => PolicyCatalog.NumberOf(result.Policy)))} | {group.Key} | {TimeSpan([.. group.Select(result => result.TotalTimeNs)])} |");
        return section[..first] + string.Join('\n', rows) + section[end..];
    }

    // Times differ from run to run, and with them the widths of columns.
    private static string[] Untimed(string text) =>
    [
        .. text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => !line.Contains("│ seconds ", StringComparison.Ordinal) && !line.Contains("│ pages per second ", StringComparison.Ordinal))
            .Select(line => Padding().Replace(Seconds().Replace(line, "in T s"), " ").Trim()),
    ];

    private static void CheckRow(string name, Match row, PolicyComparisonReport report, HashSet<string> spoken)
    {
        string[] policies = row.Groups["policies"].Value.Split(',', StringSplitOptions.TrimEntries);
        ulong[] numbers = [.. row.Groups["numbers"].Value.Split('|').Select(cell => ulong.Parse(cell.Trim(), NumberStyles.AllowThousands, CultureInfo.InvariantCulture))];
        List<double> times = [];
        foreach (string policy in policies)
        {
            Assert.True(spoken.Add(policy), $"{name}: {policy} stands in two rows");
            PolicyResult result = report.Results.Single(found => PolicyCatalog.NumberOf(found.Policy) == policy);
            ulong[] expected = Expected(result);
            Assert.True(expected.SequenceEqual(numbers), $"{name}: {policy} is [{string.Join(", ", expected)}], the page says [{string.Join(", ", numbers)}]");
            times.Add(result.TotalTimeNs);
        }

        Assert.Equal(TimeSpan(times), row.Groups["time"].Value.Trim());
    }

    private static ulong[] Expected(PolicyResult result) =>
    [
        Value(result, "privatePages"),
        Value(result, "aliasBusPages") + Value(result, "aliasHostBridgePages"),
        Value(result, "systemPages"),
        Value(result, "failedPages") + Value(result, "unusablePfns"),
        Value(result, "migratedPages"),
        Value(result, "collateralPages"),
        Value(result, "secondCalls"),
    ];

    private static string TimeSpan(List<double> times)
    {
        string least = Time(times.Min());
        string most = Time(times.Max());
        return least == most ? least : $"{least} – {most}";
    }

    private static ulong Value(PolicyResult result, string metric) => (ulong)PolicyMetrics.Find(metric).Value(result);

    private static string Time(double ns) => ns >= 1e9
        ? string.Create(CultureInfo.InvariantCulture, $"{ns / 1e9:0.00} s")
        : string.Create(CultureInfo.InvariantCulture, $"{ns / 1e6:0.0} ms");

    [GeneratedRegex(@"(?<head><!-- output of: (?<command>[^|]+)\| (?<first>\d+)-(?<last>\d+) -->\n)```\n(?:(?!```)[^\n]*\n)*```")]
    private static partial Regex Block();

    [GeneratedRegex(@"<!-- counts of: (?<command>[^>]+) -->\n```\n(?<text>(?:(?!```)[^\n]*\n)*)```")]
    private static partial Regex CountBlock();

    [GeneratedRegex(@"in [0-9.]+ s\b")]
    private static partial Regex Seconds();

    [GeneratedRegex(@"[ ─]+")]
    private static partial Regex Padding();

    [GeneratedRegex(@"^\|(?<policies>[^|]*P\d[^|]*)\|(?<numbers>[\d,\s|]+)\|(?<time>[^|]+)\|\s*$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
