using System.Diagnostics;
using System.Globalization;
using HmmFast.Kernels;

namespace HmmFast.Benchmarks.Bars;

/// <summary>
/// The snapshot on machines that have less: the harness starts itself with the runtime told to do without AVX-512, without AVX2, and without any vector instructions, so that
/// everything in the process is compiled as it would be there, and not the kernels alone.
/// </summary>
public static class EngineWidthBars
{
    private const string Group = "engine widths";

    // Scalar against the reference: the issue's bar, in the first cache and past the second as well.
    private static readonly ulong[] ReferencePageCounts = [1 << 12, 1 << 18, 1 << 20];

    private static readonly string[] Settings = ["DOTNET_EnableAVX512", "DOTNET_EnableAVX2", "DOTNET_EnableHWIntrinsic"];

    /// <summary>Starts a process for every setting and keeps what it measured.</summary>
    /// <param name="session">Rounds and sizes.</param>
    /// <param name="baselines">Not used.</param>
    public static void Measure(BarSession session, string? baselines)
    {
        // Kept here as well, so that sizes left out are told once.
        _ = session.Largest(1 << 12, 1 << 14, 1 << 20, 1 << 24);
        foreach (string setting in Settings)
        {
            BarReport.ResultFile? results = RunChild(session, setting);
            if (results is null)
            {
                session.NotMeasured($"resolve with {setting}=0", 0, "", "the harness cannot start itself here");
                continue;
            }

            foreach (Timing timing in results.Timings)
            {
                session.Add(timing);
            }

            foreach (BarResult bar in results.Bars.Where(static bar => bar.NotMeasured.Length == 0))
            {
                session.Add(bar with { Note = $"({setting}=0{(bar.Note.Length > 0 ? "; " : "")}{bar.Note})" });
            }
        }
    }

    /// <summary>What such a process measures: the best vector loops that it has.</summary>
    /// <param name="session">Rounds and sizes.</param>
    /// <param name="path">Where its results go.</param>
    public static void MeasureHere(BarSession session, string path)
    {
        session.BeginGroup(Group);
        KernelSet set = KernelSet.Best;
        string name = set.WidthBits > 64 ? $"{set.WidthBits} bits" : "scalar";
        ulong largest = session.Largest(1 << 12, 1 << 14, 1 << 20, 1 << 24);
        using (var limits = new MemoryLimits(largest))
        using (var world = new EngineWorld(largest))
        {
            world.Mix();
            IReadOnlyList<Timing> t = session.Measure("widths", [limits.Copy($"memcpy of the result array, beside {name}"), new Contender($"engine, snapshot, {name}", largest, world.Snapshot)]);
            session.Ratio($"resolve, {name}", largest, "x memcpy of the result array", t[1], t[0], set.WidthBits switch { 512 => 2.0, 256 => 1.2, 128 => 0.5, _ => null });
        }

        foreach (ulong pageCount in set.WidthBits > 64 ? [] : session.Sizes(ReferencePageCounts))
        {
            using var engine = new EngineWorld(pageCount);
            using var reference = new EngineWorld(pageCount, isReference: true);
            engine.Mix();
            reference.Mix();
            IReadOnlyList<Timing> t = session.Measure(
                "widths, scalar beside the reference",
                [new Contender("engine, snapshot, scalar", pageCount, engine.Snapshot), new Contender(EngineSnapshotBars.ReferenceSnapshot, pageCount, reference.Snapshot)]);
            session.Ratio("resolve, scalar", pageCount, "x the reference", t[0], t[1], 1.0);
        }

        BarReport.WriteResults(session, path);
    }

    private static BarReport.ResultFile? RunChild(BarSession session, string setting)
    {
        if (Environment.ProcessPath is not { } program)
        {
            return null;
        }

        string path = Path.GetTempFileName();
        try
        {
            var start = new ProcessStartInfo(program) { RedirectStandardOutput = true };
            if (Path.GetFileNameWithoutExtension(program) == "dotnet")
            {
                start.ArgumentList.Add(typeof(EngineWidthBars).Assembly.Location);
            }

            foreach (string argument in (string[])["widths", "--out", path, "--rounds", Text((ulong)session.Rounds), "--largest", Text(session.LargestPageCount)])
            {
                start.ArgumentList.Add(argument);
            }

            start.Environment[setting] = "0";
            using Process process = Process.Start(start)!;

            // This process prints what that one measured when it keeps it.
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? BarReport.Read(path) : throw new InvalidOperationException($"The harness with {setting}=0 ended with {process.ExitCode}: {output}");
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static string Text(ulong number) => number.ToString(CultureInfo.InvariantCulture);
}
