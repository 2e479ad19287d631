using System.Diagnostics;
using System.Text.Json.Serialization;

namespace HmmFast.Benchmarks.Bars;

/// <summary>Where figures come from: of which sources, when, and how busy the machine was before.</summary>
/// <param name="Commit">The commit measured; "unknown" where there is no repository.</param>
/// <param name="HasLocalChanges">Files beside the results differ from that commit.</param>
/// <param name="StartedUtc">When the run began.</param>
/// <param name="ElapsedSeconds">How long it took.</param>
/// <param name="LoadBefore">Runnable processes before the run: averages of 1, 5 and 15 minutes; "unknown" where not told.</param>
/// <param name="TransparentHugePages">The system's setting; "unknown" where not told.</param>
/// <param name="Rounds">Rounds per contender.</param>
/// <param name="LargestPageCount">The largest size.</param>
/// <param name="Groups">Groups of bars whose figures are of this run.</param>
public sealed record RunNote(
    string Commit,
    bool HasLocalChanges,
    DateTimeOffset StartedUtc,
    double ElapsedSeconds,
    string LoadBefore,
    string TransparentHugePages,
    int Rounds,
    ulong LargestPageCount,
    IReadOnlyList<string> Groups)
{
    private const string Unknown = "unknown";

    /// <summary>One line for people.</summary>
    [JsonIgnore]
    public string Text => FormattableString.Invariant(
        $"Commit {(Commit.Length > 12 ? Commit[..12] : Commit)}{(HasLocalChanges ? " with local changes" : "")}, {StartedUtc:yyyy-MM-dd HH:mm} UTC, {ElapsedSeconds / 60:0.0} minutes, load before {LoadBefore}, transparent huge pages {TransparentHugePages}, {Rounds} rounds.");

    /// <summary>A run that begins now.</summary>
    public static RunNote Begin(int rounds, ulong largestPageCount)
    {
        string? commit = Git("rev-parse", "HEAD");

        // The results themselves are written by runs and so do not count.
        string? changes = commit is null ? null : Git("status", "--porcelain", "--", ":/", ":(top,exclude)perf-results");
        return new RunNote(
            commit ?? Unknown, !string.IsNullOrEmpty(changes), DateTimeOffset.UtcNow, 0, Load(), HugePages(), rounds, largestPageCount, []);
    }

    /// <summary>The same with what is known at its end.</summary>
    public RunNote After(IReadOnlyList<string> groups) => this with { ElapsedSeconds = (DateTimeOffset.UtcNow - StartedUtc).TotalSeconds, Groups = [.. groups] };

    private static string Load() =>
        File.Exists("/proc/loadavg") ? string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ').Take(3)) : Unknown;

    private static string HugePages()
    {
        const string setting = "/sys/kernel/mm/transparent_hugepage/enabled";
        if (!File.Exists(setting))
        {
            return Unknown;
        }

        // The one in brackets is in use.
        string[] parts = File.ReadAllText(setting).Split('[', ']');
        return parts.Length == 3 ? parts[1] : Unknown;
    }

    private static string? Git(params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo("git", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            string text = process.StandardOutput.ReadToEnd().Trim();
            process.WaitForExit();
            return process.ExitCode == 0 ? text : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // No git on this machine.
            return null;
        }
    }
}
