using HmmFast.Kernels;

namespace HmmFast.Properties.Kernels;

/// <summary>Every kernel at every width does what a plain loop does, on columns of runs, holes and noise whose sizes end anywhere.</summary>
public static class KernelChecks
{
    // Every so many cases the columns are long enough for what only large calls do.
    private const int LargeEvery = 400;

    /// <summary>The named checks.</summary>
    public static IReadOnlyList<NamedCheck> All { get; } =
    [
        new NamedCheck("kernels", "resolve, per-page resolve, extents, classify, searches and fills at every width equal plain loops", 1200, Hold),
    ];

    private static void Hold(CheckRun run)
    {
        for (int i = 0; i < run.Count; i++)
        {
            KernelSet kernels = KernelSet.All[i % KernelSet.All.Count];
            var random = new Random(unchecked((run.Seed * 7919) + i));
            string? difference;
            try
            {
                difference = FirstDifference(new KernelCase(random, isLarge: i % LargeEvery == LargeEvery - 1), kernels, random);
            }
            catch (Exception thrown) when (thrown is not OutOfMemoryException)
            {
                difference = $"thrown: {thrown.GetType().Name}: {thrown.Message}";
            }

            if (difference is not null)
            {
                throw new CheckFailedException($"{kernels.Name}: {difference}\ncase {i} of seed {run.Seed}");
            }
        }
    }

    private static string? FirstDifference(KernelCase input, KernelSet kernels, Random random) =>
        Resolve(input, kernels, random)
        ?? PerPage(input, kernels, random)
        ?? Extents(input, kernels, random)
        ?? Classify(input, kernels)
        ?? Searches(input, kernels)
        ?? Fills(kernels, random);

    private static string? Resolve(KernelCase input, KernelSet kernels, Random random)
    {
        WordFormat format = Format(input, random);
        ulong[] words = input.Words(random);
        ulong[] expected = [.. words];
        int end = 0;
        for (; end < input.Count && (input.Code(end) & Resolution.WorkMask) == 0; end++)
        {
            expected[end] = PlainWord.Of(input.Code(end), input.Pfns[end], words[end], format);
        }

        int done = kernels.Resolve(input.Classes, input.Pfns, input.Table, format, words);
        return done != end ? $"resolve of {input} with {format} ends at {done}, not {end}" : Compare($"resolve of {input} with {format}", words, expected);
    }

    private static string? PerPage(KernelCase input, KernelSet kernels, Random random)
    {
        WordFormat format = Format(input, random);
        var tables = new RequestTables();
        byte[][] codes = [.. Enumerable.Range(0, 6).Select(_ => input.Codes(random))];
        ByteTable[] all = [tables.None, tables.Read, tables.Write, tables.NoneAllowed, tables.ReadAllowed, tables.WriteAllowed];
        for (int i = 0; i < 6; i++)
        {
            all[i].Set(codes[i]);
        }

        int allowBit = random.Next(3) switch { 0 => 0, 1 => 56, _ => random.Next(7, 61) };
        ulong bits = (3UL << 62) | (allowBit == 0 ? 0 : 1UL << allowBit);
        var request = new PageRequest(random.Next(4) == 0 ? 1UL << 63 : bits, random.Next(2) == 0 ? 0 : (ulong)random.NextInt64() & bits & ~(1UL << 63), allowBit);
        ulong[] words = input.Words(random);
        ulong[] expected = [.. words];
        int end = 0;
        for (; end < input.Count; end++)
        {
            ulong asked = (words[end] & request.Mask) | request.Default;
            int form = (asked >> 63) == 0 ? 0 : (asked >> 62 & 1) == 0 ? 1 : 2;
            form += allowBit != 0 && (asked >> allowBit & 1) != 0 ? 3 : 0;
            byte code = codes[form][input.Classes[end]];
            if ((code & Resolution.WorkMask) != 0)
            {
                break;
            }

            expected[end] = PlainWord.Of(code, input.Pfns[end], words[end], format);
        }

        int done = kernels.ResolvePerPage(input.Classes, input.Pfns, tables, request, format, words);
        return done != end
            ? $"per-page resolve of {input} with {format} and {request} ends at {done}, not {end}"
            : Compare($"per-page resolve of {input} with {format} and {request}", words, expected);
    }

    private static string? Extents(KernelCase input, KernelSet kernels, Random random)
    {
        int kindShift = input.HasKinds ? random.Next(33, 59) : 0;
        var format = new WordFormat(0, kindShift);
        var expectedStarts = new List<uint>();
        var expectedWords = new List<ulong>();
        int capacity = random.Next(3) switch { 0 => input.Count + 1, 1 => random.Next(1, 8), _ => random.Next(1, Math.Max(2, input.Count)) };
        int end = 0;
        for (; end < input.Count && (input.Code(end) & Resolution.WorkMask) == 0; end++)
        {
            byte code = input.Code(end);
            bool follows = end > 0 && code == input.Code(end - 1) && ((code & Resolution.Valid) == 0 || input.Pfns[end - 1] + 1 == input.Pfns[end]);
            if (follows)
            {
                continue;
            }

            if (expectedStarts.Count == capacity)
            {
                break;
            }

            expectedStarts.Add((uint)end);
            expectedWords.Add(PlainWord.Of(code, input.Pfns[end], 0, format));
        }

        uint[] starts = new uint[capacity];
        ulong[] words = new ulong[capacity];
        ExtentCount found = kernels.Extents(input.Classes, input.Pfns, input.Table, kindShift, starts, words);
        string what = $"extents of {input} with room for {capacity}";
        if (found.Extents != expectedStarts.Count || found.Pages != end)
        {
            return $"{what}: {found.Extents} over {found.Pages} pages, not {expectedStarts.Count} over {end}";
        }

        if (!starts.AsSpan(0, found.Extents).SequenceEqual(expectedStarts.ToArray()))
        {
            return $"{what}: other starts";
        }

        return Compare(what, words.AsSpan(0, found.Extents), [.. expectedWords]);
    }

    private static string? Classify(KernelCase input, KernelSet kernels)
    {
        long valid = 0;
        long error = 0;
        long[] work = new long[4];
        ulong[] expected = new ulong[(input.Count + 63) / 64];
        for (int i = 0; i < input.Count; i++)
        {
            byte code = input.Code(i);
            valid += code >> 7;
            error += code >> 5 & 1;
            work[code & Resolution.WorkMask]++;
            expected[i / 64] |= (code & Resolution.WorkMask) != 0 ? 1UL << (i % 64) : 0;
        }

        ulong[] bitmap = new ulong[expected.Length];
        bitmap.AsSpan().Fill(ulong.MaxValue);
        ClassCounts counts = kernels.Classify(input.Classes, input.Table, bitmap);
        var wanted = new ClassCounts(input.Count, valid, error, work[1], work[2], work[3]);
        if (counts != wanted || kernels.Classify(input.Classes, input.Table, default) != wanted)
        {
            return $"classify of {input}: {counts}, not {wanted}";
        }

        string? difference = Compare($"classify of {input}", bitmap, expected);
        long marked = kernels.MarkMembers(input.Classes, input.Table, Resolution.WorkMask, bitmap);
        return difference ?? (marked != wanted.Work ? $"mark of {input}: {marked}, not {wanted.Work}" : Compare($"mark of {input}", bitmap, expected));
    }

    private static string? Searches(KernelCase input, KernelSet kernels)
    {
        int equal = 0;
        while (equal < input.Count && input.Classes[equal] == input.Classes[0])
        {
            equal++;
        }

        int counting = Math.Min(input.Count, 1);
        while (counting < input.Count && input.Pfns[counting] == input.Pfns[counting - 1] + 1)
        {
            counting++;
        }

        int member = 0;
        while (member < input.Count && (input.Code(member) & Resolution.Valid) == 0)
        {
            member++;
        }

        int other = 0;
        while (other < input.Count && (input.Code(other) & Resolution.Valid) != 0)
        {
            other++;
        }

        ulong[] words = Array.ConvertAll(input.Pfns, pfn => (ulong)pfn);
        int steps = Math.Min(input.Count, 1);
        while (steps < input.Count && words[steps] == words[steps - 1] + 1)
        {
            steps++;
        }

        return Compare("equal run", kernels.EqualRun(input.Classes), equal)
            ?? Compare("counting run", kernels.CountingRun(input.Pfns), counting)
            ?? Compare("counting run of words", kernels.CountingRun(words, 1), steps)
            ?? Compare("first member", kernels.FindMember(input.Classes, input.Table, Resolution.Valid), member)
            ?? Compare("first that is no member", kernels.FindNonMember(input.Classes, input.Table, Resolution.Valid), other);
    }

    private static string? Fills(KernelSet kernels, Random random)
    {
        ulong[] words = new ulong[random.Next(300)];
        random.NextBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes(words.AsSpan()));
        ulong first = (ulong)random.NextInt64();
        ulong step = (ulong)random.Next(2);
        ulong keep = random.Next(2) == 0 ? 0 : 5UL << 60;
        ulong[] expected = [.. words.Select((word, i) => (word & keep) | (first + ((ulong)i * step)))];
        kernels.FillWords(words, first, step, keep);
        uint[] numbers = new uint[words.Length];
        kernels.CountUp(numbers, uint.MaxValue - 40);
        kernels.Add(numbers, 7);
        for (int i = 0; i < numbers.Length; i++)
        {
            if (numbers[i] != unchecked(uint.MaxValue - 33 + (uint)i))
            {
                return $"count up and add: {numbers[i]} at {i} of {numbers.Length}";
            }
        }

        return Compare($"fill of {words.Length} words from 0x{first:x} by {step}, keeping 0x{keep:x}", words, expected);
    }

    private static WordFormat Format(KernelCase input, Random random) =>
        new(random.Next(2) == 0 ? 0 : 7UL << 58, input.HasKinds ? random.Next(33, 56) : 0);

    private static string? Compare(string what, long got, long expected) => got == expected ? null : $"{what}: {got}, not {expected}";

    private static string? Compare(string what, ReadOnlySpan<ulong> got, ReadOnlySpan<ulong> expected)
    {
        int same = got.CommonPrefixLength(expected);
        return same == expected.Length ? null : $"{what}: word {same} is 0x{got[same]:x16}, not 0x{expected[same]:x16}";
    }
}
