using BenchmarkDotNet.Attributes;
using HmmFast.Benchmarks.Bars;

namespace HmmFast.Benchmarks;

/// <summary>Range faults over a process of mixed pages: engine, reference, and copying the result array. Ratios that are quoted come from the bars.</summary>
[MemoryDiagnoser]
public class RangeFaultBenchmarks
{
    // The reference keeps objects; past this filling it takes minutes.
    private const int LargestReferencePageCount = 1 << 20;

    private EngineWorld _engine = null!;
    private EngineWorld? _reference;
    private MemoryLimits _limits = null!;

    /// <summary>Pages.</summary>
    [ParamsSource(nameof(PageCounts))]
    public int PageCount { get; set; }

    /// <summary>Sizes; one small one in a smoke run.</summary>
    public static IEnumerable<int> PageCounts => Environment.GetEnvironmentVariable("HMMFAST_BENCH_SMOKE") is null ? [1 << 12, 1 << 18, 1 << 24] : [1 << 10];

    /// <summary>Makes the processes.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _limits = new MemoryLimits((ulong)PageCount);
        _engine = new EngineWorld((ulong)PageCount);
        _engine.Mix();
        if (PageCount <= LargestReferencePageCount)
        {
            _reference = new EngineWorld((ulong)PageCount, isReference: true);
            _reference.Mix();
        }
    }

    /// <summary>Frees them.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _engine.Dispose();
        _reference?.Dispose();
        _limits.Dispose();
    }

    /// <summary>Copying the result array.</summary>
    [Benchmark(Baseline = true)]
    public void Memcpy() => _limits.Copy().Run();

    /// <summary>The engine tells what is there.</summary>
    [Benchmark]
    public void EngineSnapshot() => _engine.Snapshot();

    /// <summary>The engine faults an empty process in; emptying it again is in the time.</summary>
    [Benchmark]
    public void EngineEmptyAndFault() => EmptyAndFault(_engine);

    /// <summary>The reference tells what is there; 0 where it is too large for it.</summary>
    [Benchmark]
    public int ReferenceSnapshot()
    {
        _reference?.Snapshot();
        return _reference is null ? 0 : PageCount;
    }

    /// <summary>The reference faults an empty process in.</summary>
    [Benchmark]
    public int ReferenceEmptyAndFault() => _reference is null ? 0 : EmptyAndFault(_reference);

    private static int EmptyAndFault(EngineWorld world)
    {
        world.Empty();
        world.Fault(world.All, HmmRequestFlags.Fault | HmmRequestFlags.Write);
        return (int)world.PageCount;
    }
}
