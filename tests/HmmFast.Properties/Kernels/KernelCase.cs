using System.Runtime.InteropServices;
using HmmFast.Kernels;

namespace HmmFast.Properties.Kernels;

/// <summary>Two columns and a table: stretches of runs, of holes and of noise, with or without pages that need work.</summary>
internal sealed class KernelCase
{
    private readonly byte[] _codes;
    private readonly double _workShare;

    /// <param name="random">Where everything comes from.</param>
    /// <param name="isLarge">Long enough for non-temporal stores.</param>
    public KernelCase(Random random, bool isLarge)
    {
        Count = isLarge ? (3 << 19) + random.Next(200) : random.Next(4) == 0 ? random.Next(5000) : random.Next(300);
        HasKinds = random.Next(4) == 0;
        int classCount = random.Next(3) switch { 0 => random.Next(1, 5), 1 => random.Next(5, 129), _ => random.Next(129, 257) };
        _workShare = random.Next(3) == 0 ? 0.02 : 0;
        _codes = new byte[classCount];
        _codes = Codes(random);
        Table = new ByteTable(_codes);
        Classes = new byte[Count];
        Pfns = new uint[Count];
        Fill(random);
    }

    /// <summary>Pages.</summary>
    public int Count { get; }

    /// <summary>The table's codes have kind bits.</summary>
    public bool HasKinds { get; }

    /// <summary>A class a page.</summary>
    public byte[] Classes { get; }

    /// <summary>A frame number a page.</summary>
    public uint[] Pfns { get; }

    /// <summary>Class to code.</summary>
    public ByteTable Table { get; }

    /// <summary>A page's code.</summary>
    public byte Code(int page) => _codes[Classes[page]];

    /// <summary>Another table for as many classes.</summary>
    public byte[] Codes(Random random)
    {
        byte[] forms = [Resolution.Nothing, Resolution.Error, Resolution.Valid, Resolution.Valid | Resolution.Write];
        byte[] codes = new byte[_codes.Length];
        for (int i = 0; i < codes.Length; i++)
        {
            byte code = forms[random.Next(forms.Length)];
            int kind = HasKinds && code >= Resolution.Valid ? random.Next(8) << Resolution.KindBit : 0;
            codes[i] = random.NextDouble() < _workShare ? (byte)random.Next(1, 4) : (byte)(code | kind);
        }

        return codes;
    }

    /// <summary>Old words, one a page.</summary>
    public ulong[] Words(Random random)
    {
        ulong[] words = new ulong[Count];
        random.NextBytes(MemoryMarshal.AsBytes(words.AsSpan()));
        return words;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Count} pages of {_codes.Length} classes";

    private void Fill(Random random)
    {
        int at = 0;
        while (at < Count)
        {
            int style = random.Next(4);
            int end = Math.Min(Count, at + random.Next(1, 700));
            while (at < end)
            {
                int length = Math.Min(end - at, style switch { 0 => random.Next(1, 200), 1 => random.Next(1, 20), _ => 1 });
                byte first = (byte)random.Next(_codes.Length);
                uint pfn = random.Next(30) == 0 ? uint.MaxValue - 3 : (uint)random.NextInt64(1L << 32);
                for (int i = 0; i < length; i++, at++)
                {
                    // Style 2 is holes: one class, numbers that go nowhere.
                    Classes[at] = style == 2 && at > 0 ? Classes[at - 1] : first;
                    Pfns[at] = style == 2 ? (uint)random.NextInt64(1L << 32) : unchecked(pfn + (uint)i);
                }
            }
        }
    }
}
