using BenchmarkDotNet.Attributes;
using HmmFast.Simulation.Machines;

namespace HmmFast.Benchmarks;

/// <summary>Reading a machine's description: a text of lspci and the project's own JSON.</summary>
[MemoryDiagnoser]
public class ReaderBenchmarks
{
    private byte[] _lspci = [];
    private byte[] _json = [];

    /// <summary>Functions of the machine, about.</summary>
    [ParamsSource(nameof(FunctionCounts))]
    public int FunctionCount { get; set; }

    /// <summary>Sizes; one small one in a smoke run.</summary>
    public static IEnumerable<int> FunctionCounts => Environment.GetEnvironmentVariable("HMMFAST_BENCH_SMOKE") is null ? [500, 2_000] : [36];

    /// <summary>Makes the texts.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _lspci = LargeMachineTexts.LspciText(FunctionCount);
        _json = LargeMachineTexts.Json(FunctionCount);
    }

    /// <summary>The text of lspci -vvv.</summary>
    [Benchmark]
    public MachineDescription LspciText() => MachineReader.Parse(_lspci, "lspci");

    /// <summary>Own JSON.</summary>
    [Benchmark]
    public MachineDescription Json() => MachineReader.Parse(_json, "json");
}
