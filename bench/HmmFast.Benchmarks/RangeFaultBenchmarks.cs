using BenchmarkDotNet.Attributes;
using HmmFast.Benchmarks.Bars;

namespace HmmFast.Benchmarks;

/// <summary>Range faults over a process of mixed pages, and copying the result array. Ratios that are quoted come from the bars.</summary>
[MemoryDiagnoser]
public class RangeFaultBenchmarks
{
    private EngineWorld _mixed = null!;
    private EngineWorld _faulted = null!;
    private MemoryLimits _limits = null!;
    private Action _copy = null!;

    /// <summary>Pages.</summary>
    [ParamsSource(nameof(PageCounts))]
    public int PageCount { get; set; }

    /// <summary>Sizes; one small one in a smoke run.</summary>
    public static IEnumerable<int> PageCounts => IsSmoke ? [1 << 10] : [1 << 12, 1 << 18, 1 << 24];

    /// <summary>True where only what still runs is asked.</summary>
    internal static bool IsSmoke => Environment.GetEnvironmentVariable("HMMFAST_BENCH_SMOKE") is not null;

    /// <summary>Makes the processes: faulting leaves nothing mixed, so it has one of its own.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _limits = new MemoryLimits((ulong)PageCount);
        _copy = _limits.Copy().Run;
        _mixed = new EngineWorld((ulong)PageCount);
        _mixed.Mix();
        _faulted = new EngineWorld((ulong)PageCount);
    }

    /// <summary>Frees them.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _mixed.Dispose();
        _faulted.Dispose();
        _limits.Dispose();
    }

    /// <summary>Copying the result array.</summary>
    [Benchmark(Baseline = true)]
    public void Memcpy() => _copy();

    /// <summary>The engine tells what is there.</summary>
    [Benchmark]
    public void EngineSnapshot() => _mixed.Snapshot();

    /// <summary>The engine faults an empty process in; emptying it again is in the time.</summary>
    [Benchmark]
    public void EngineEmptyAndFault() => EmptyAndFault(_faulted);

    internal static void EmptyAndFault(EngineWorld world)
    {
        world.Empty();
        world.Fault(world.All, HmmRequestFlags.Fault | HmmRequestFlags.Write);
    }
}
