using HmmFast.Drivers.Moving;

namespace HmmFast.Tests.Policies;

/// <summary>Runs of words in a band: the vector search against one word after the other.</summary>
public sealed class WordBandTests
{
    [Fact]
    public void Runs_RandomWordsAndBands_EndWhereALoopSaysSo()
    {
        int seed = Random.Shared.Next();
        Random random = new(seed);
        for (int round = 0; round < 2000; round++)
        {
            ulong valid = 1UL << 63;
            var band = new WordBand(valid | 0xffff, valid + (uint)random.Next(100), (uint)random.Next(60));
            HmmPfn[] words = [.. Enumerable.Range(0, random.Next(70)).Select(_ => Word(random, band))];
            int from = random.Next(words.Length + 1);
            int end = from;
            while (end < words.Length && IsIn(band, words[end]))
            {
                end++;
            }

            int start = from;
            while (start < words.Length && !IsIn(band, words[start]))
            {
                start++;
            }

            Assert.True(end == band.EndOfRun(words, from) && start == band.StartOfRun(words, from), $"seed {seed}, round {round}, {band}, from {from} of {words.Length}");
        }
    }

    [Fact]
    public void EndOfRun_BeginsBehindTheWords_Throws()
    {
        HmmPfn[] words = new HmmPfn[3];
        Assert.Throws<ArgumentOutOfRangeException>(() => new WordBand(1, 0, 1).EndOfRun(words, 4));
    }

    private static HmmPfn Word(Random random, WordBand band)
    {
        // Mostly inside, so that runs are long; flags outside the kept bits are anything.
        ulong number = random.Next(24) == 0 ? (uint)random.Next(200) : (band.First & 0xffff) + (band.Count == 0 ? 0 : (uint)random.Next((int)band.Count));
        return new HmmPfn((random.Next(40) == 0 ? 0 : 1UL << 63) | ((ulong)(uint)random.Next(1 << 20) << 20) | number);
    }

    private static bool IsIn(WordBand band, HmmPfn word)
    {
        ulong kept = word.Raw & band.Keep;
        return kept >= band.First && kept < band.First + band.Count;
    }
}
