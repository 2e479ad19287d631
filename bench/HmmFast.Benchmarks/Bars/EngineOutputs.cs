using System.Runtime.InteropServices;
using HmmFast.Faulting;
using HmmFast.Memory;

namespace HmmFast.Benchmarks.Bars;

/// <summary>Answers in other shapes than one word a page, in the same kind of memory as the words: a bitmap, and runs.</summary>
internal sealed class EngineOutputs : IDisposable
{
    private readonly NativeMemoryLedger _ledger = new();
    private readonly NativeColumn<ulong> _bitmap;
    private readonly NativeColumn<uint> _starts;
    private readonly NativeColumn<ulong> _firsts;
    private readonly int _count;

    public EngineOutputs(ulong pageCount)
    {
        _count = (int)pageCount;
        _bitmap = new NativeColumn<ulong>("work bitmap", (_count + 63) / 64, _ledger, HugePagePolicy.Prefer);
        _starts = new NativeColumn<uint>("first pages", _count, _ledger, HugePagePolicy.Prefer);
        _firsts = new NativeColumn<ulong>("first words", _count, _ledger, HugePagePolicy.Prefer);
    }

    /// <summary>Runs of the last call.</summary>
    public int ExtentCount { get; private set; }

    /// <summary>Counts and marks what needs work.</summary>
    public HmmClassification Classify(EngineWorld world, HmmRequestFlags defaults = HmmRequestFlags.None) =>
        world.Columns.Classify(world.Request(world.All, defaults), _bitmap.Span(0, (_count + 63) / 64));

    /// <summary>A range fault that faults nothing, in runs.</summary>
    public void Extents(EngineWorld world)
    {
        Span<HmmPfn> firsts = MemoryMarshal.Cast<ulong, HmmPfn>(_firsts.Span(0, _count));
        EngineWorld.Must(world.Columns.RangeFaultExtents(world.Request(world.All), _starts.Span(0, _count), firsts, out int count, out _), "extents");
        ExtentCount = count;
    }

    public void Dispose()
    {
        _bitmap.Dispose();
        _starts.Dispose();
        _firsts.Dispose();
        _ledger.ThrowIfUnbalanced();
    }
}
