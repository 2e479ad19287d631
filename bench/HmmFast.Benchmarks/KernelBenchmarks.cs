using BenchmarkDotNet.Attributes;
using HmmFast.Kernels;

namespace HmmFast.Benchmarks;

/// <summary>The kernels of every width, one by one; the ratios that are quoted come from the bars, where contenders take turns.</summary>
[MemoryDiagnoser]
public class KernelBenchmarks
{
    private KernelInputs _inputs = null!;
    private KernelSet _kernels = null!;

    /// <summary>Pages.</summary>
    [ParamsSource(nameof(PageCounts))]
    public int PageCount { get; set; }

    /// <summary>Width.</summary>
    [ParamsSource(nameof(Widths))]
    public string Width { get; set; } = "";

    /// <summary>Sizes; one small one in a smoke run.</summary>
    public static IEnumerable<int> PageCounts => Environment.GetEnvironmentVariable("HMMFAST_BENCH_SMOKE") is null ? [1 << 12, 1 << 18, 1 << 24] : [1 << 10];

    /// <summary>Every width of this machine.</summary>
    public static IEnumerable<string> Widths => KernelSet.All.Select(set => set.Name);

    /// <summary>Makes the columns.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _inputs = new KernelInputs(PageCount);
        _kernels = KernelSet.Choose(Width);
    }

    /// <summary>Frees the columns.</summary>
    [GlobalCleanup]
    public void Cleanup() => _inputs.Dispose();

    /// <summary>Copying the result array.</summary>
    [Benchmark(Baseline = true)]
    public void Memcpy() => _inputs.Requests.Span(0, PageCount).CopyTo(_inputs.Words.Span(0, PageCount));

    /// <summary>Resolve under one table.</summary>
    [Benchmark]
    public int Resolve() => _kernels.Resolve(
        _inputs.Classes.Span(0, PageCount), _inputs.Pfns.Span(0, PageCount), _inputs.Table, WordFormat.Plain, _inputs.Words.Span(0, PageCount));

    /// <summary>Resolve with a request in every word.</summary>
    [Benchmark]
    public int ResolvePerPage() => _kernels.ResolvePerPage(
        _inputs.Classes.Span(0, PageCount), _inputs.Pfns.Span(0, PageCount), _inputs.PerPage, new PageRequest(3UL << 62, 0), WordFormat.Plain,
        _inputs.Requests.Span(0, PageCount));

    /// <summary>Counts and bitmap.</summary>
    [Benchmark]
    public long Classify() => _kernels.Classify(_inputs.Classes.Span(0, PageCount), _inputs.Table, _inputs.Bitmap.Span(0, (PageCount + 63) / 64)).Valid;

    /// <summary>Runs of pages.</summary>
    [Benchmark]
    public int Extents() => _kernels.Extents(
        _inputs.RunClasses.Span(0, PageCount), _inputs.RunPfns.Span(0, PageCount), _inputs.Table, 0, _inputs.Starts.Span(0, PageCount),
        _inputs.Words.Span(0, PageCount)).Extents;
}
