using HmmFast.Simulation.Captures;
using HmmFast.Simulation.Scenarios;

namespace HmmFast.Cli.Tests.Captures;

public sealed class ProcessImageTests
{
    [Fact]
    public void Default_EmbeddedProcess_HasAGibibyteOfEverything()
    {
        CaptureSummary sum = ProcessImage.Default().Summary;
        Assert.InRange(sum.PopulatedPages, 262_144UL, 400_000UL);
        Assert.All(
            (ulong[])[sum.AnonymousPages, sum.SharedAnonymousPages, sum.FileOrSharedPages, sum.ZeroPages, sum.HugePages, sum.SwappedPages],
            pages => Assert.True(pages > 1000));
    }

    [Theory]
    [InlineData("[]", "x:1")]
    [InlineData("null", "null")]
    [InlineData("{ \"name\": \"a\" }", "vmas")]
    [InlineData("{ \"name\": \"a\", \"vmas\": [], \"vams\": [] }", "vams")]
    [InlineData("{ \"name\": \"a\",\n\n \"vmas\": [ 5 ] }", "x:3")]
    public void Parse_NotAProcess_NamesThePlace(string json, string expected)
    {
        CaptureException e = Assert.Throws<CaptureException>(() => ProcessImage.Parse(json, "x"));
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"at\": \"0x1000\"", "\"at\": \"0x1001\"", "0x1001")]
    [InlineData("\"at\": \"0x1000\"", "\"at\": \"0xfffffffffffff000\"", "at")]
    [InlineData("\"at\": \"0x1000\"", "\"at\": \"high\"", "high")]
    [InlineData("8KiB", "0", "size")]
    [InlineData("8KiB", "5KiB", "5KiB")]
    [InlineData("8KiB", "-8KiB", "-8KiB")]
    [InlineData("8KiB", "9999TiB", "9999TiB")]
    [InlineData("\"rw\"", "\"rwx\"", "rwx")]
    [InlineData("privateAnonymous", "imaginary", "x:1: 'imaginary': unknown kind of mapping; the nearest known one is")]
    [InlineData("privateAnonymous", "privateFile", "file")]
    [InlineData("\"own\"", "\"owned\"", "owned")]
    [InlineData("\"own\"", "\"file\"", "file")]
    [InlineData("\"own\"", "\"huge\"", "huge")]
    [InlineData("\"count\": 1", "\"count\": 0", "count")]
    public void Parse_OneValueBroken_NamesIt(string was, string becomes, string expected)
    {
        const string good = """{ "name": "a", "vmas": [ { "at": "0x1000", "size": "8KiB", "protection": "rw", "kind": "privateAnonymous", "pages": [ { "count": 1, "state": "own" } ] } ] }""";
        Assert.Equal(2UL, ProcessImage.Parse(good, "x").Summary.AnonymousPages);
        CaptureException e = Assert.Throws<CaptureException>(() => ProcessImage.Parse(good.Replace(was, becomes, StringComparison.Ordinal), "x"));
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("4096", 4096)]
    [InlineData("2MiB", 2 << 20)]
    [InlineData(" 64 k ", 64 << 10)]
    [InlineData("1GiB", 1L << 30)]
    public void ByteSize_Sizes_AreRead(string text, long expected)
    {
        Assert.True(ByteSize.TryParse(text, out ulong bytes));
        Assert.Equal((ulong)expected, bytes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("MiB")]
    [InlineData("1.5GiB")]
    [InlineData("99999999999999999999")]
    [InlineData("99999999TiB")]
    [InlineData("5 apples")]
    public void ByteSize_OtherText_IsRefused(string text) => Assert.False(ByteSize.TryParse(text, out _));
}
