using HmmFast.Kernels;

namespace HmmFast.Benchmarks.Bars;

/// <summary>Every kernel of one width over the columns of one size.</summary>
internal sealed class KernelContenders(KernelInputs inputs, KernelSet kernels)
{
    private static readonly WordFormat Sticky = new(0x1C00_0000_0000_0000, 0);
    private static readonly PageRequest FromWords = new(3UL << 62, 0);
    private readonly int _count = inputs.PageCount;

    public Contender Resolve => Make("resolve, 77 classes", () => kernels.Resolve(
        inputs.Classes.Span(0, _count), inputs.Pfns.Span(0, _count), inputs.Table, WordFormat.Plain, inputs.Words.Span(0, _count)));

    public Contender ResolveAll => Make("resolve, 256 classes", () => kernels.Resolve(
        inputs.AllClasses.Span(0, _count), inputs.Pfns.Span(0, _count), inputs.AllTable, WordFormat.Plain, inputs.Words.Span(0, _count)));

    public Contender ResolveSticky => Make("resolve, sticky bits kept", () => kernels.Resolve(
        inputs.Classes.Span(0, _count), inputs.Pfns.Span(0, _count), inputs.Table, Sticky, inputs.Words.Span(0, _count)));

    public Contender ResolveRuns => Make("resolve, runs of 64", () => kernels.Resolve(
        inputs.RunClasses.Span(0, _count), inputs.RunPfns.Span(0, _count), inputs.Table, WordFormat.Plain, inputs.Words.Span(0, _count)));

    public Contender PerPage => Make("resolve, per-page requests", () => kernels.ResolvePerPage(
        inputs.Classes.Span(0, _count), inputs.Pfns.Span(0, _count), inputs.PerPage, FromWords, WordFormat.Plain, inputs.Requests.Span(0, _count)));

    public Contender Classify => Make("classify, counts and bitmap", () => kernels.Classify(
        inputs.Classes.Span(0, _count), inputs.Table, inputs.Bitmap.Span(0, (_count + 63) / 64)));

    public Contender ExtentsOfRuns => Make("extents, runs of 64", () => kernels.Extents(
        inputs.RunClasses.Span(0, _count), inputs.RunPfns.Span(0, _count), inputs.Table, 0, inputs.Starts.Span(0, _count), inputs.Words.Span(0, _count)));

    public Contender ExtentsWithoutRuns => Make("extents, no runs", () => kernels.Extents(
        inputs.Classes.Span(0, _count), inputs.Pfns.Span(0, _count), inputs.Table, 0, inputs.Starts.Span(0, _count), inputs.Words.Span(0, _count)));

    public Contender Huge => Make("huge entries", () => kernels.FillWords(inputs.Words.Span(0, _count), 0xC920_0000_0010_0000, 1));

    public Contender Hole => Make("holes", () => kernels.FillWords(inputs.Words.Span(0, _count), 0, 0));

    public Contender Map => Make("map classes (write-protect, fork)", () => kernels.Map(
        inputs.Classes.Span(0, _count), inputs.Table, inputs.Mapped.Span(0, _count)));

    private Contender Make(string name, Action run) => new($"{name}, {kernels.Name}", (ulong)_count, run);
}
