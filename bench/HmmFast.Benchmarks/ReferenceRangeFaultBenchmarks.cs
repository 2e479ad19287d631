using BenchmarkDotNet.Attributes;
using HmmFast.Benchmarks.Bars;

namespace HmmFast.Benchmarks;

/// <summary>The reference's range faults over the process of <see cref="RangeFaultBenchmarks"/>, at the sizes that its objects leave time for.</summary>
[MemoryDiagnoser]
public class ReferenceRangeFaultBenchmarks
{
    private EngineWorld _world = null!;

    /// <summary>Pages.</summary>
    [ParamsSource(nameof(PageCounts))]
    public int PageCount { get; set; }

    /// <summary>Sizes; one small one in a smoke run.</summary>
    public static IEnumerable<int> PageCounts => RangeFaultBenchmarks.IsSmoke ? [1 << 10] : [1 << 12, 1 << 18];

    /// <summary>Makes the process.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _world = new EngineWorld((ulong)PageCount, isReference: true);
        _world.Mix();
    }

    /// <summary>Frees it.</summary>
    [GlobalCleanup]
    public void Cleanup() => _world.Dispose();

    /// <summary>The reference tells what is there.</summary>
    [Benchmark(Baseline = true)]
    public void ReferenceSnapshot() => _world.Snapshot();

    /// <summary>The reference faults an empty process in; emptying it again is in the time.</summary>
    [Benchmark]
    public void ReferenceEmptyAndFault() => RangeFaultBenchmarks.EmptyAndFault(_world);
}
