using BenchmarkDotNet.Attributes;
using HmmFast.Topology;

namespace HmmFast.Benchmarks;

/// <summary>All ordered pairs of a machine: with the whole matrix kept, and row by row into one buffer.</summary>
[MemoryDiagnoser]
public class TopologyBenchmarks
{
    private PciTopology _topology = null!;
    private P2PdmaAnswer[] _row = [];

    /// <summary>Functions of the machine.</summary>
    [ParamsSource(nameof(FunctionCounts))]
    public int FunctionCount { get; set; }

    /// <summary>Sizes; one small one in a smoke run.</summary>
    public static IEnumerable<int> FunctionCounts => Environment.GetEnvironmentVariable("HMMFAST_BENCH_SMOKE") is null ? [1_000, 10_000] : [100];

    /// <summary>Builds the machine.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _topology = LargeMachine.Build(FunctionCount);
        _row = new P2PdmaAnswer[_topology.Count];
    }

    /// <summary>Prepares the rule and keeps every answer.</summary>
    [Benchmark]
    public P2PdmaMatrix AllPairs() => P2PdmaMatrix.Compute(new P2PdmaDistance(_topology));

    /// <summary>Prepares the rule and answers row after row.</summary>
    [Benchmark]
    public int AllRows()
    {
        var distance = new P2PdmaDistance(_topology);
        int hops = 0;
        for (int provider = 0; provider < _topology.Count; provider++)
        {
            distance.FillRow(provider, _row);
            hops += _row[provider].Hops;
        }

        return hops;
    }
}
