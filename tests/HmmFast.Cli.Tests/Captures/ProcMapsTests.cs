using HmmFast.Simulation.Captures;
using HmmFast.Simulation.Captures.Live;

namespace HmmFast.Cli.Tests.Captures;

public sealed class ProcMapsTests
{
    [Fact]
    public void Read_Smaps_TakesNamesWithSpacesAndFlags()
    {
        const string text = """
            55d0c0000000-55d0c0002000 r-xp 00001000 fe:00 1234                       /opt/a name (deleted)
            Size:                  8 kB
            VmFlags: rd ex mr mw me 
            7f0000000000-7f0000200000 rw-p 00000000 00:00 0 
            VmFlags: rd wr mr mw me ac hg 
            7f0000400000-7f0000401000 rw-s 00000000 00:01 77                         /dev/zero (deleted)
            7ffd00000000-7ffd00004000 r--p 00000000 00:00 0                          [vvar]
            ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
            """;
        List<ProcMapping> mappings = ProcMaps.Read(new StringReader(text), "test");
        Assert.Equal(5, mappings.Count);
        Assert.Equal("/opt/a name (deleted)", mappings[0].Name);
        Assert.Equal(0x1000UL, mappings[0].Offset);
        Assert.True(mappings[1].HasFlag("hg"));
        Assert.False(mappings[0].HasFlag("hg"));

        CaptureBuilder builder = new();
        ProcessVmas vmas = ProcessVmas.From(mappings, builder);
        Assert.Equal(1, vmas.SkippedCount);
        Assert.Equal(
            [MappingKind.PrivateFile, MappingKind.PrivateAnonymous, MappingKind.SharedAnonymous, MappingKind.DriverPfn],
            vmas.Vmas.Select(vma => vma.Kind));
        Assert.Equal(1UL, vmas.Vmas[0].PageOffset);
        Assert.Equal(VmaTraits.HugePageAdvised, vmas.Vmas[1].Traits);
        Assert.Equal(Protection.Read, vmas.Vmas[0].Protection);
    }

    [Fact]
    public void From_OneObjectMappedTwice_IsOneFile()
    {
        const string text = """
            7f0000400000-7f0000401000 rw-s 00000000 00:01 77                         /dev/zero (deleted)
            7f0000500000-7f0000501000 rw-s 00003000 00:01 77                         /dev/zero (deleted)
            """;
        CaptureBuilder builder = new();
        ProcessVmas vmas = ProcessVmas.From(ProcMaps.Read(new StringReader(text), "test"), builder);
        Assert.All(vmas.Vmas, vma => Assert.Equal((MappingKind.SharedFile, 0), (vma.Kind, vma.FileIndex)));
        vmas.Vmas.ForEach(builder.BeginVma);
        CapturedFile file = Assert.Single(builder.Build(new CaptureFacts { ProcessName = "x" }).Files.ToArray());
        Assert.Equal((FileKind.Memfd, 4UL), (file.Kind, file.PageCount));
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("7f00-7e00 rw-p 00000000 00:00 0")]
    [InlineData("7f0000000001-7f0000001000 rw-p 00000000 00:00 0")]
    [InlineData("7f0000000000-7f0000001000 rwp 00000000 00:00 0")]
    [InlineData("7f0000000000-7f0000001000 rw-p xyz 00:00 0")]
    [InlineData("-7f0000001000 rw-p 00000000 00:00 0")]
    public void Read_BrokenLine_NamesItsNumberAndText(string line)
    {
        CaptureException e = Assert.Throws<CaptureException>(() => ProcMaps.Read(new StringReader($"7f0000000000-7f0000001000 rw-p 00000000 00:00 0 \n{line}"), "maps"));
        Assert.Contains("maps:2", e.Message, StringComparison.Ordinal);
        Assert.Contains(line, e.Message, StringComparison.Ordinal);
    }
}
