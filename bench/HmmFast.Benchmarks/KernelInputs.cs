using HmmFast.Kernels;
using HmmFast.Memory;

namespace HmmFast.Benchmarks;

/// <summary>
/// Columns of one size in native memory with huge pages, as the engine holds what it fills end to end: mixed classes in random order, frame numbers none of
/// which follows the one before, both again in runs of 64 on average, words with requests, and tables.
/// </summary>
internal sealed class KernelInputs : IDisposable
{
    private readonly NativeMemoryLedger _ledger = new();
    private readonly List<IDisposable> _owned = [];

    public KernelInputs(int pageCount)
    {
        PageCount = pageCount;
        Classes = Column<byte>("77 classes");
        AllClasses = Column<byte>("256 classes");
        RunClasses = Column<byte>("classes in runs");
        Mapped = Column<byte>("classes mapped");
        Pfns = Column<uint>("frame numbers");
        RunPfns = Column<uint>("frame numbers in runs");
        Starts = Column<uint>("first pages of extents");
        Words = Column<ulong>("words");
        Requests = Column<ulong>("words with requests");
        Bitmap = new NativeColumn<ulong>("work bitmap", (pageCount + 63) / 64, _ledger);
        _owned.Add(Bitmap);
        Table = MakeTable(77);
        AllTable = MakeTable(256);
        PerPage = new RequestTables();
        PerPage.None.Set(Table.Entries[..77]);
        PerPage.Read.Set(Table.Entries[..77]);
        PerPage.Write.Set(Table.Entries[..77]);
        Fill();
    }

    public int PageCount { get; }

    public NativeColumn<byte> Classes { get; }

    public NativeColumn<byte> AllClasses { get; }

    public NativeColumn<byte> RunClasses { get; }

    public NativeColumn<byte> Mapped { get; }

    public NativeColumn<uint> Pfns { get; }

    public NativeColumn<uint> RunPfns { get; }

    public NativeColumn<uint> Starts { get; }

    public NativeColumn<ulong> Words { get; }

    public NativeColumn<ulong> Requests { get; }

    public NativeColumn<ulong> Bitmap { get; }

    public ByteTable Table { get; }

    public ByteTable AllTable { get; }

    public RequestTables PerPage { get; }

    public void Dispose()
    {
        foreach (IDisposable owned in _owned)
        {
            owned.Dispose();
        }

        _ledger.ThrowIfUnbalanced();
    }

    private static ByteTable MakeTable(int count)
    {
        // Every outcome in turn, none of which needs work.
        byte[] outcomes = [Resolution.Valid | Resolution.Write, Resolution.Valid, Resolution.Nothing, Resolution.Valid | Resolution.Write, Resolution.Error];
        byte[] entries = new byte[count];
        for (int i = 0; i < count; i++)
        {
            entries[i] = outcomes[i % outcomes.Length];
        }

        return new ByteTable(entries);
    }

    private void Fill()
    {
        Random random = new(1);
        Span<byte> classes = Classes.Span(0, PageCount);
        Span<byte> all = AllClasses.Span(0, PageCount);
        Span<byte> runs = RunClasses.Span(0, PageCount);
        Span<uint> pfns = Pfns.Span(0, PageCount);
        Span<uint> runPfns = RunPfns.Span(0, PageCount);
        Span<ulong> requests = Requests.Span(0, PageCount);
        random.NextBytes(all);
        uint pfn = 0;
        byte current = 0;
        for (int i = 0; i < PageCount; i++)
        {
            if ((all[i] & 63) == 0)
            {
                pfn += 1000;
                current = (byte)random.Next(77);
            }

            classes[i] = (byte)(all[i] % 77);
            pfns[i] = (uint)i * 3;
            runs[i] = current;
            runPfns[i] = pfn++;
            requests[i] = (ulong)(all[i] & 3) << 62;
        }

        Words.Span(0, PageCount).Fill(1);
        Starts.Span(0, PageCount).Fill(1);
    }

    private NativeColumn<T> Column<T>(string name)
        where T : unmanaged
    {
        NativeColumn<T> column = new(name, PageCount, _ledger, HugePagePolicy.Prefer);
        _owned.Add(column);
        return column;
    }
}
