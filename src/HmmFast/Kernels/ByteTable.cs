using System.Runtime.CompilerServices;

namespace HmmFast.Kernels;

/// <summary>
/// A map from byte to byte, laid out as the vector look-ups want it: 256 bytes, 64-byte aligned, and the number of 16-entry rows that are in use.
/// Made once, used for any number of calls; refilling it allocates nothing.
/// </summary>
/// <remarks>
/// A column that is looked up through the table may hold only values below <see cref="Count"/>; the owner of the column guarantees that.
/// For other values the result is some byte, and may be another one at another vector width, but nothing outside the table is read.
/// </remarks>
public sealed unsafe class ByteTable
{
    /// <summary>Entries a byte can index.</summary>
    public const int Capacity = 256;

    private readonly byte[] _storage;
    private readonly byte* _entries;

    /// <summary>Makes a table in which every byte maps to 0.</summary>
    public ByteTable()
    {
        _storage = GC.AllocateArray<byte>((2 * Capacity) + 64, pinned: true);
        _entries = (byte*)(((nuint)Unsafe.AsPointer(ref _storage[0]) + 63) & ~(nuint)63);
        Count = Capacity;
    }

    /// <summary>Makes a table from its entries.</summary>
    /// <param name="entries">1 to 256 bytes: what 0, 1, 2... map to.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are no entries or more than 256.</exception>
    public ByteTable(ReadOnlySpan<byte> entries)
        : this() => Set(entries);

    /// <summary>Entries in use; the rest map to 0.</summary>
    public int Count { get; private set; }

    /// <summary>Rows of 16 entries in use, 1 to 16. Widths without a full-byte look-up pay per row.</summary>
    public int RowCount => (Count + 15) >> 4;

    /// <summary>The entry of one byte.</summary>
    public byte this[byte index] => _entries[index];

    /// <summary>All 256 entries.</summary>
    public ReadOnlySpan<byte> Entries => new(_entries, Capacity);

    /// <summary>Address of the 256 entries, 64-byte aligned. The array under it is pinned and lives as long as this object.</summary>
    internal byte* Pointer => _entries;

    /// <summary>
    /// The same entries as counting wants them, one bit each: bits 0 to 2 for work 1 to 3, bit 5 error, bit 6 valid, bit 7 any work.
    /// </summary>
    internal byte* CountingPointer => _entries + Capacity;

    /// <summary>Refills the table.</summary>
    /// <param name="entries">1 to 256 bytes: what 0, 1, 2... map to.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are no entries or more than 256.</exception>
    public void Set(ReadOnlySpan<byte> entries)
    {
        if (entries.Length is < 1 or > Capacity)
        {
            throw new ArgumentOutOfRangeException(nameof(entries), entries.Length, $"A table has 1..{Capacity} entries, not {entries.Length}.");
        }

        Span<byte> all = new(_entries, Capacity);
        entries.CopyTo(all);
        all[entries.Length..].Clear();
        Count = entries.Length;
        Span<byte> counting = new(CountingPointer, Capacity);
        counting.Clear();
        for (int i = 0; i < entries.Length; i++)
        {
            int work = entries[i] & Resolution.WorkMask;
            counting[i] = (byte)(((entries[i] & Resolution.Valid) >> 1) | (entries[i] & Resolution.Error) | ((1 << work) >> 1) | (work != 0 ? 0x80 : 0));
        }
    }
}
