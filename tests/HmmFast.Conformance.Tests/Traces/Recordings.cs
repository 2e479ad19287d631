using System.Collections.Concurrent;
using System.IO.Compression;
using HmmFast.Simulation.Traces;
using HmmFast.Testing;

namespace HmmFast.Conformance.Tests.Traces;

/// <summary>The kernel's recordings that lie beside these tests, each read once.</summary>
internal static class Recordings
{
    private static readonly ConcurrentDictionary<string, Lazy<TraceFile>> Files = new();

    internal static IReadOnlyList<string> Names { get; } =
        [.. Directory.GetFiles(Folder, "*.jsonl.gz").Select(static path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    internal static string Folder => Path.Combine(RepositoryRoot.Find(), "tests", "HmmFast.Conformance.Tests", "Recordings");

    internal static TraceFile Read(string name) => Files.GetOrAdd(
        name,
        static key => new Lazy<TraceFile>(() => TraceReader.ReadFile(Path.Combine(Folder, key)))).Value;

    internal static string[] Lines(string name)
    {
        using GZipStream unpacker = new(File.OpenRead(Path.Combine(Folder, name)), CompressionMode.Decompress);
        using StreamReader reader = new(unpacker);
        return reader.ReadToEnd().TrimEnd('\n').Split('\n');
    }
}
