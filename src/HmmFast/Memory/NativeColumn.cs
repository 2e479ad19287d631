using System.Runtime.CompilerServices;

namespace HmmFast.Memory;

/// <summary>
/// A column of plain values in native memory. The whole length is reserved at once and costs address space only; the operating system
/// commits pages as they are touched, and untouched elements read as zero. The column owns its range and frees it exactly once.
/// </summary>
/// <remarks>
/// The first element is aligned to 64 bytes at least (to a system page in fact), so a vector loop may rely on that. Reading and writing different elements
/// from several threads is as safe as it is for an array; disposing while another thread uses the column is the caller's mistake.
/// </remarks>
/// <typeparam name="T">The element; any unmanaged type.</typeparam>
public sealed unsafe class NativeColumn<T> : IDisposable
    where T : unmanaged
{
    /// <summary>The alignment of element 0 that every column keeps, in bytes.</summary>
    public const int AlignmentBytes = 64;

    /// <summary>Bytes of a huge page. A column of at least this size begins on its border, but on Windows.</summary>
    internal const nuint HugeBytes = 2 << 20;

    private readonly NativeMemoryLedger _ledger;
    private readonly string _name;
    private nint _address;

    /// <summary>Reserves a column.</summary>
    /// <param name="name">What the column holds; used in messages.</param>
    /// <param name="length">Elements, at least 1. The byte size is rounded up to 64 KiB and must stay below 2^46.</param>
    /// <param name="ledger">The book the range is entered in.</param>
    /// <param name="hugePages">The wish for huge pages over the whole column.</param>
    /// <exception cref="ArgumentOutOfRangeException">The length is below 1 or its size above the bound.</exception>
    /// <exception cref="InsufficientMemoryException">The ledger's limit or the system refuses the reservation; the message has the size, and the limit or the error number.</exception>
    public NativeColumn(string name, long length, NativeMemoryLedger ledger, HugePagePolicy hugePages = HugePagePolicy.Never)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        long longest = ((1L << 46) - VirtualMemory.PageBytes) / sizeof(T);
        if (length < 1 || length > longest)
        {
            // Nothing is owned yet, so there is nothing for the finalizer to free.
            GC.SuppressFinalize(this);
            throw new ArgumentOutOfRangeException(nameof(length), length, $"Column '{name}' cannot have {length} elements of {sizeof(T)} bytes: 1..{longest}.");
        }

        _name = name;
        _ledger = ledger;
        Length = length;
        ReservedBytes = RoundUp(length * sizeof(T));
        if (!ledger.TryEnter(ReservedBytes))
        {
            GC.SuppressFinalize(this);
            throw new InsufficientMemoryException(
                $"Column '{name}': {ReservedBytes} bytes of address space are over the limit of {ledger.LimitBytes}; {ledger.ReservedBytes} are reserved.");
        }

        _address = (nint)VirtualMemory.Reserve((nuint)ReservedBytes, out int error);
        if (_address == 0)
        {
            GC.SuppressFinalize(this);
            ledger.Strike(ReservedBytes);
            throw new InsufficientMemoryException($"Column '{name}': reserving {ReservedBytes} bytes of address space failed with system error {error}.");
        }

        VirtualMemory.AdviseHuge((void*)_address, (nuint)ReservedBytes, hugePages);
        ledger.Reserved();
    }

    /// <summary>Frees the range of a column that nobody disposed, and enters it in the ledger as a leak.</summary>
    ~NativeColumn() => Free(leaked: true);

    /// <summary>Elements.</summary>
    public long Length { get; }

    /// <summary>Bytes of address space reserved: the elements, rounded up to 64 KiB.</summary>
    public long ReservedBytes { get; }

    /// <summary>True after <see cref="Dispose"/>.</summary>
    public bool IsDisposed => _address == 0;

    /// <summary>The address of element 0, aligned to <see cref="AlignmentBytes"/>; the caller keeps to <see cref="Length"/>.</summary>
    internal T* Pointer
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            T* first = (T*)_address;
            if (first == null)
            {
                MemoryThrow.Disposed(_name);
            }

            return first;
        }
    }

    /// <summary>One element, by reference.</summary>
    /// <param name="index">0 up to <see cref="Length"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The index is outside the column.</exception>
    /// <exception cref="ObjectDisposedException">The column was disposed.</exception>
    public ref T this[long index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if ((ulong)index >= (ulong)Length)
            {
                MemoryThrow.Index(index, Length);
            }

            return ref Pointer[index];
        }
    }

    /// <summary>A part of the column as a span.</summary>
    /// <param name="start">First element.</param>
    /// <param name="count">Elements.</param>
    /// <exception cref="ArgumentOutOfRangeException">The part does not lie inside the column.</exception>
    /// <exception cref="ObjectDisposedException">The column was disposed.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<T> Span(long start, int count)
    {
        MemoryThrow.IfOutside(start, count, Length);
        return new Span<T>(Pointer + start, count);
    }

    /// <summary>The whole column as a view.</summary>
    /// <exception cref="ObjectDisposedException">The column was disposed.</exception>
    public ColumnView<T> View() => new(Pointer, Length);

    /// <summary>A part of the column as a view.</summary>
    /// <param name="start">First element.</param>
    /// <param name="count">Elements.</param>
    /// <exception cref="ArgumentOutOfRangeException">The part does not lie inside the column.</exception>
    /// <exception cref="ObjectDisposedException">The column was disposed.</exception>
    public ColumnView<T> View(long start, long count)
    {
        MemoryThrow.IfOutside(start, count, Length);
        return new ColumnView<T>(Pointer + start, count);
    }

    /// <summary>
    /// Sets elements back to zero and gives the memory of every whole system page among them back. Elements beside them that share a page keep their values.
    /// </summary>
    /// <param name="start">First element.</param>
    /// <param name="count">Elements; any number.</param>
    /// <exception cref="ArgumentOutOfRangeException">The part does not lie inside the column.</exception>
    /// <exception cref="ObjectDisposedException">The column was disposed.</exception>
    public void Release(long start, long count)
    {
        MemoryThrow.IfOutside(start, count, Length);
        byte* from = (byte*)(Pointer + start);
        byte* to = (byte*)(Pointer + start + count);
        nuint page = OperatingSystem.IsWindows() ? VirtualMemory.PageBytes : (nuint)Environment.SystemPageSize;
        byte* firstWhole = (byte*)(((nuint)from + page - 1) & ~(page - 1));
        // Past the last element the column's own padding may go too.
        byte* lastWhole = start + count == Length ? (byte*)Pointer + ReservedBytes : (byte*)((nuint)to & ~(page - 1));
        if (lastWhole <= firstWhole)
        {
            Zero(from, to);
            return;
        }

        Zero(from, firstWhole);
        VirtualMemory.Release(firstWhole, (nuint)(lastWhole - firstWhole));
        if (lastWhole < to)
        {
            Zero(lastWhole, to);
        }
    }

    /// <summary>Asks for huge pages over a part of the column that will be filled end to end (the whole 2 MiB pages inside it).</summary>
    /// <param name="start">First element.</param>
    /// <param name="count">Elements.</param>
    /// <exception cref="ArgumentOutOfRangeException">The part does not lie inside the column.</exception>
    /// <exception cref="ObjectDisposedException">The column was disposed.</exception>
    public void AdviseHuge(long start, long count)
    {
        MemoryThrow.IfOutside(start, count, Length);
        nuint from = ((nuint)(Pointer + start) + HugeBytes - 1) & ~(HugeBytes - 1);
        nuint to = (nuint)(Pointer + start + count) & ~(HugeBytes - 1);
        if (to > from)
        {
            VirtualMemory.AdviseHuge((void*)from, to - from, HugePagePolicy.Prefer);
        }
    }

    /// <summary>
    /// Makes huge pages of a part of the column that is in use end to end, now (the whole 2 MiB pages inside it; small pages among them that were never touched
    /// become memory as well). Only a wish: where the system cannot or will not, nothing happens.
    /// </summary>
    /// <param name="start">First element.</param>
    /// <param name="count">Elements.</param>
    /// <exception cref="ArgumentOutOfRangeException">The part does not lie inside the column.</exception>
    /// <exception cref="ObjectDisposedException">The column was disposed.</exception>
    internal void GatherHuge(long start, long count)
    {
        AdviseHuge(start, count);
        nuint from = ((nuint)(Pointer + start) + HugeBytes - 1) & ~(HugeBytes - 1);
        nuint to = (nuint)(Pointer + start + count) & ~(HugeBytes - 1);
        if (to > from)
        {
            VirtualMemory.GatherHuge((void*)from, to - from);
        }
    }

    /// <summary>Bytes of the column that memory is spent on now; -1 where the system cannot tell. Slow: asks the system about every page.</summary>
    /// <exception cref="ObjectDisposedException">The column was disposed.</exception>
    public long MeasureResidentBytes() => VirtualMemory.ResidentBytes(Pointer, (nuint)ReservedBytes);

    /// <summary>Frees the range. Once is right; a second call frees nothing and is counted in the ledger as a double free.</summary>
    public void Dispose()
    {
        Free(leaked: false);
        GC.SuppressFinalize(this);
    }

    private static long RoundUp(long sizeBytes) => (sizeBytes + VirtualMemory.PageBytes - 1) & ~(long)(VirtualMemory.PageBytes - 1);

    private static void Zero(byte* from, byte* to) => new Span<byte>(from, (int)(to - from)).Clear();

    private void Free(bool leaked)
    {
        // The exchange makes two racing Dispose calls free once.
        nint first = Interlocked.Exchange(ref _address, 0);
        if (first == 0)
        {
            if (!leaked)
            {
                _ledger.FreedAgain();
            }

            return;
        }

        if (!VirtualMemory.Free((void*)first, (nuint)ReservedBytes) && !leaked)
        {
            throw new InvalidOperationException($"Column '{_name}': freeing {ReservedBytes} bytes of native memory was refused.");
        }

        _ledger.Freed(ReservedBytes, leaked);
    }
}
