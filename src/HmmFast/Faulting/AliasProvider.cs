using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using HmmFast.AddressSpaces;
using HmmFast.Kernels;
using HmmFast.Policies;

namespace HmmFast.Faulting;

/// <summary>A device whose private pages one caller gets by their alias: which classes under which request, and how frame numbers are replaced.</summary>
internal sealed class AliasProvider(int device, AliasWindow window)
{
    private readonly ulong _delta = window.FirstAlias.Value - window.FirstDevicePage.Value;

    public int Device { get; } = device;

    /// <summary>Bit f of entry c: pages of class c are answered with an alias under request form f.</summary>
    public byte[] Bits { get; } = new byte[PageClassTable.Capacity];

    /// <summary>The same as a table of the kernels.</summary>
    public ByteTable Members { get; } = new();

    /// <summary>Replaces the frame numbers of the marked pages.</summary>
    /// <param name="marks">One bit a page.</param>
    /// <param name="pfns">Private frame numbers.</param>
    /// <param name="words">Answers with private frame numbers in, alias frame numbers out.</param>
    public void Replace(ReadOnlySpan<ulong> marks, ReadOnlySpan<uint> pfns, scoped Span<ulong> words)
    {
        for (int block = 0; block < marks.Length; block++)
        {
            ulong bits = marks[block];
            if (bits == 0)
            {
                continue;
            }

            int first = block * 64;
            if (window.IsIdentity && words.Length - first >= 64)
            {
                Add64(words.Slice(first, 64), bits);
                continue;
            }

            for (; bits != 0; bits &= bits - 1)
            {
                int page = first + BitOperations.TrailingZeroCount(bits);
                words[page] = Replaced(words[page], pfns[page]);
            }
        }
    }

    /// <summary>One answer with its alias.</summary>
    public ulong Replaced(ulong word, uint pfn) =>
        window.IsIdentity ? word + _delta : window.TryGetAlias(new Pfn(pfn), out Pfn alias) ? word - pfn + alias.Value : word;

    /// <summary>words[i] += the window's distance for each set bit: a bit becomes a lane of ones, and the distance is let through by it.</summary>
    private void Add64(Span<ulong> words, ulong bits)
    {
        ref ulong first = ref MemoryMarshal.GetReference(words);
        var delta = Vector256.Create(_delta);
        var lanes = Vector256.Create(1UL, 2, 4, 8);
        for (nuint i = 0; i < 64; i += 4, bits >>= 4)
        {
            Vector256<ulong> isSet = Vector256.Equals(Vector256.Create(bits) & lanes, lanes);
            (Vector256.LoadUnsafe(ref first, i) + (delta & isSet)).StoreUnsafe(ref first, i);
        }
    }
}
