using HmmFast.Faulting;

namespace HmmFast;

/// <summary>What the engine's address spaces can do beyond the common interface: answers in other shapes than one word a page.</summary>
/// <remarks>
/// Every address space that a <see cref="MemorySystem"/> makes is one. None of the calls allocates once tables and scratch are made. They throw as <see cref="IAddressSpace"/> says.
/// Costs are of one machine (perf-results/amd-epyc-family-26-model-2) at 16 Mi pages of written memory, where a range fault takes 0.27 ns a page.
/// Source: each call answers what range faults would, which is what tests hold it to; no kernel has the shapes.
/// </remarks>
public interface IColumnAddressSpace : IAddressSpace
{
    /// <summary>Counts what a range fault with this request would meet, and marks the pages that need work. Changes nothing and reads no frame numbers.</summary>
    /// <param name="range">The request; only its default flags count, not per-page ones. The notifier is not looked at.</param>
    /// <param name="work">One bit a page, 64 to a word, set where a page needs work; empty if not wanted. Bits past the last page are 0.</param>
    /// <returns>The counts; together they are the range's pages.</returns>
    /// <remarks>Cost: a byte read a page, a bit written: 0.03 ns a page.</remarks>
    /// <exception cref="ArgumentException">The bitmap is neither empty nor <c>(pages + 63) / 64</c> words long.</exception>
    HmmClassification Classify(in HmmRange range, Span<ulong> work);

    /// <summary>
    /// A range fault that answers in runs instead of one word a page; faults as <see cref="IAddressSpace.RangeFault"/> does. A run's pages have equal flags and,
    /// where they are valid, frame numbers that count up by one: a later page's word is the first one's plus its distance where that is valid, else the same.
    /// </summary>
    /// <param name="range">The request; its mask must be empty, since there are no words to take per-page requests from.</param>
    /// <param name="starts">Receives the first page of each run, counted from the range's start, in order; neighbours that could be one are one. A run ends where
    /// the next begins, the last at <paramref name="pageCount"/>. Room for fewer than 64 runs at a time is slow.</param>
    /// <param name="firsts">Receives the word of each run's first page; as long as <paramref name="starts"/>.</param>
    /// <param name="extentCount">Runs written.</param>
    /// <param name="pageCount">Pages they cover from the range's start: all of it, or as far as the runs went. Ask again for the rest.</param>
    /// <returns>As a range fault; what was written before an error is final.</returns>
    /// <remarks>Cost: 5 bytes read a page and 12 written a run: 0.16 ns a page in runs of 64, 0.45 ns where runs are 1.4 pages; a hole in the page table is passed over in one
    /// step.</remarks>
    /// <exception cref="ArgumentException">The mask is not empty, there is no room for a run, the lengths differ, or the notifier does not cover the range or belongs elsewhere.</exception>
    HmmStatus RangeFaultExtents(in HmmRange range, Span<uint> starts, Span<HmmPfn> firsts, out int extentCount, out ulong pageCount);

    /// <summary>Answers scattered pages, as a GPU's fault buffer names them: each as a range fault over that page alone would be, one after the other.</summary>
    /// <param name="range">The request; every page must lie in its range. Per-page requests are taken from the words as its mask says.</param>
    /// <param name="pages">Pages, in any order, repeats allowed.</param>
    /// <param name="hmmPfns">In and out as for a range fault; entry i is page i's.</param>
    /// <param name="answered">Entries that are final; on an error the next one is the page that failed.</param>
    /// <returns>Ok when all are answered, else as a range fault.</returns>
    /// <remarks>Cost: some 13 ns a page for scattered pages out of a million that need no work; one that does costs a range fault of its own.</remarks>
    /// <exception cref="ArgumentException">The lengths differ, or the notifier does not cover the range or belongs elsewhere.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A page lies outside the range; nothing is done.</exception>
    HmmStatus RangeFaultBatch(in HmmRange range, ReadOnlySpan<Vpn> pages, Span<HmmPfn> hmmPfns, out int answered);
}
