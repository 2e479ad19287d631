using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using HmmFast.Simulation.Machines;

namespace HmmFast.Topology.Tests.Readers;

/// <summary>Input that is no machine, or no whole one: refused with file, line, value and what was expected; never a crash or a hang.</summary>
public class BadInputTests
{
    private const int BombBytes = 100 << 20;

    [Theory]
    [InlineData("{}", 1, "\"format\": \"hmmfast-machine\"")]
    [InlineData("[1]", 1, "no object")]
    [InlineData("{\"format\":\"hmmfast-machine\",\n\"functoins\":[]}", 2, "'functions'")]
    [InlineData("{\"format\":\"hmmfast-machine\",\n\"functions\":[\n{\"address\":\"0000:00:20.0\"}]}", 3, "dddd:bb:dd.f")]
    [InlineData("{\"format\":\"hmmfast-machine\",\n\"functions\":[\n{\"address\":\"00:01.0\"},\n{\"address\":\"00:01.0\"}]}", 4, "first on line 3")]
    [InlineData("{\"format\":\"hmmfast-machine\",\n\"functions\":[\n{\"address\":\"00:01.0\",\"parent\":\"00:02.0\"}]}", 3, "disconnected")]
    [InlineData("{\"format\":\"hmmfast-machine\",\n\"functions\":[\n{\"address\":\"01:00.0\",\"parent\":\"02:00.0\"},\n{\"address\":\"02:00.0\",\"parent\":\"01:00.0\"}]}", 3, "cyclic")]
    [InlineData("{\"format\":\"hmmfast-machine\",\n\"functions\":[\n{\"address\":\"01:00.0\",\"parent\":\"01:00.0\"}]}", 3, "cyclic")]
    [InlineData("{\"format\":\"hmmfast-machine\",\n\"functions\":[\n{\"address\":\"01:00.1\",\"physicalFunction\":\"01:00.0\"}]}", 3, "physical function")]
    [InlineData("{\"format\":\"hmmfast-machine\",\n\"functions\":[\n{\"address\":\"01:00.1\",\"acs\":{\"control\":[\"RR\",\"XX\"]}}]}", 3, "SV, TB, RR")]
    [InlineData("{\"format\":\"hmmfast-machine\",\n\"functions\":[\n{\"address\":\"01:00.1\",\"vendorId\":\"18086\"}]}", 3, "ffff")]
    [InlineData("{\"format\":\"hmmfast-machine\",\n\"functions\":[\n{\"address\":\"01:00.1\",\"kind\":\"port\"}]}", 3, "rootPort")]
    [InlineData("{\"format\":\"hmmfast-machine\",\n\"devices\":[\n{\"name\":\"a\",\"kind\":\"gpu\"}],\n\"links\":[{\"from\":\"a\",\"to\":\"b\",\"kind\":\"nvLink\"}]}", 4, "neither the name")]
    [InlineData("{\"format\":\"hmmfast-machine\",\n\"devices\":[\n{\"name\":\"a\",\"kind\":\"gpu\"}],\n\"links\":[{\"from\":\"a\",\"to\":\"a\",\"kind\":\"warp\"}]}", 4, "hyperTransport")]
    [InlineData("{\"format\":\"hmmfast-machine\",\n\"version\":2}", 2, "version 1")]
    [InlineData("{\"format\":\"hmmfast-machine\",\n\"functions\":[{\"address\":\"01:0", 2, "not well-formed JSON")]
    [InlineData("{\"format\":\"hmmfast-machine\",\n\"name\":\"a\",\n\"name\":\"b\"}", 3, "twice")]
    [InlineData("{\"tree\":1,\"case\":\"x\",\"matrix\":[]}\n{\"tree\":1,\"case\":\"y\",\"matrix\":[]}\n", 2, "recorded cases")]
    [InlineData("{\"blockdevices\":[]}", 1, "lsblk")]
    public void Json_BadText_NamesLineAndWhatWasExpected(string text, int line, string part) => AssertRefused(text, "bad.json", line, part);

    [Theory]
    [InlineData("00:00.0 Host bridge: Intel Corporation Device 09a2\n00:00.0 Host bridge: Intel Corporation Device 09a2\n", 2, "occurs twice")]
    [InlineData("00:01.0 PCI bridge: X\n\tBus: primary=00, secondary=01, subordinate=01\n00:02.0 PCI bridge: X\n\tBus: primary=00, secondary=01, subordinate=01\n", 3, "secondary bus")]
    [InlineData("01:00.0 PCI bridge: X\n\tBus: primary=01, secondary=02, subordinate=02\n02:00.0 PCI bridge: X\n\tBus: primary=02, secondary=01, subordinate=01\n", 1, "cyclic")]
    [InlineData("00:01.0 PCI bridge: X\n\tBus: primary=00, secondary=0g, subordinate=01\n", 2, "secondary=")]
    [InlineData("00:01.0 PCI bridge: X\n\tCapabilities: [148 v1] Access Control Services\n\t\tACSCap:\tSrcValid+ TransBlk+ ReqRed\n", 3, "ReqRedir+ or ReqRedir-")]
    [InlineData("00:01.0 PCI bridge: X\n\t\tACSCap:\tSrcValid+ TransBlk+ ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl+ DirectTrans+\n", 2, "cut short")]
    [InlineData("00:01.0 PCI bridge: X\nsomething else\n", 2, "neither the first line")]
    [InlineData("00:01.0 PCI bridge: X\n00:01.", 2, "neither the first line")]
    [InlineData("00:01.0 PCI bridge: X\n\tRegion 7: Memory at 0\n", 2, "0 to 5")]
    [InlineData("00:01.0 PCI bridge: X\n\tNUMA node: two\n", 2, "whole number")]
    [InlineData("00:01.0 x\n00: 86 80 c0\n", 2, "cut short")]
    [InlineData("00:01.0 x\n10: 86 80 c0\n", 2, "at 00 expected")]
    [InlineData("00:01.0 x\n00: 86 8\n", 2, "two hexadecimal digits")]
    public void Lspci_BadText_NamesLineAndWhatWasExpected(string text, int line, string part) => AssertRefused(text, "bad.txt", line, part);

    [Theory]
    [InlineData("-[0000:00]-+-00.0\n           +-01.0\n   +-02.0\n", 3, "column 4")]
    [InlineData("-[0000:00]-+-00.0\n           \\-00.0\n", 2, "occurs twice")]
    [InlineData("-[0000:00]-+-00.0\n           \\-20.0\n", 2, "dd.f")]
    [InlineData("-[0000:00]-+-01.0-[0x\n", 1, "[bb-bb]")]
    [InlineData("-[0000:00]-+-00.0\nrubbish\n", 2, "drawn tree")]
    public void LspciTree_BadText_NamesLineAndWhatWasExpected(string text, int line, string part) => AssertRefused(text, "tree.txt", line, part);

    [Theory]
    [InlineData("<topology version=\"4.0\"/>", 1, "1, 2 and 3")]
    [InlineData("<topology version=\"2.0\">\n<object type=\"PCIDev\" pci_busid=\"x\"/>\n</topology>", 2, "pci_busid")]
    [InlineData("<topology version=\"2.0\">\n<object type=\"Bridge\" bridge_type=\"2-1\" bridge_pci=\"0000:[00-01]\"/>\n</topology>", 2, "unknown link type")]
    [InlineData("<topology version=\"2.0\">\n<object type=\"Machine\">\n", 3, "not well-formed")]
    [InlineData("<system version=\"1\">\n<cpu>\n<pci busid=\"0000:01:00.0\"><gpu dev=\"0\"><warp target=\"0000:02:00.0\"/></gpu></pci></cpu></system>", 3, "unknown link type")]
    [InlineData("<system version=\"1\">\n<cpu>\n<pci busid=\"0000:01:00.0\"/>\n<pci busid=\"0000:01:00.0\"/></cpu></system>", 4, "first on line 3")]
    [InlineData("<system version=\"1\">\n<cpu><pci class=\"1\"/></cpu></system>", 2, "'busid'")]
    [InlineData("<system version=\"1\"/>", 0, "no pci element")]
    [InlineData("<html><body/></html>", 0, "web page")]
    [InlineData("<machines/>", 0, "'machines'")]
    [InlineData("<!DOCTYPE topology [\n<!ENTITY a \"b\">]><topology>&a;</topology>", 2, "entity declarations")]
    [InlineData("<!DOCTYPE topology SYSTEM \"hwloc2.dtd\">\n<topology version=\"2.0\">&a;</topology>", 2, "not well-formed")]
    public void Xml_BadText_NamesLineAndWhatWasExpected(string text, int line, string part) => AssertRefused(text, "bad.xml", line, part);

    [Theory]
    [InlineData("\tGPU0\tGPU1\nGPU0\t X\tWARP\nGPU1\tSYS\t X\n", 2, "unknown link type")]
    [InlineData("\tGPU0\tGPU1\nGPU0\t X\tSYS\n", 3, "no row")]
    [InlineData("\tGPU0\tGPU1\nGPU0\t X\n", 2, "2 classes")]
    [InlineData("\tGPU0\tGPU1\nGPU0\tSYS\tSYS\nGPU1\tSYS\t X\n", 2, "meets itself")]
    [InlineData("\tGPU0\tGPU1\nGPU2\tSYS\tSYS\n", 2, "no column")]
    [InlineData("\tGPU0\tGPU1\nGPU0\t X\tNV99\nGPU1\tSYS\t X\n", 2, "NV1 to NV64")]
    public void NvidiaSmi_BadText_NamesLineAndWhatWasExpected(string text, int line, string part) => AssertRefused(text, "topo.txt", line, part);

    [Fact]
    public void Bridges_WithoutChildren_AreRead()
    {
        MachineDescription machine = TestFiles.ParseText("00:01.0 PCI bridge: X\n\tBus: primary=00, secondary=01, subordinate=01\n00:02.0 PCI bridge: X\n\tBus: primary=00, secondary=00, subordinate=00\n00:03.0 PCI bridge: X\n\tBus: primary=00, secondary=00, subordinate=00\n");

        Assert.Equal(3, machine.Functions.Count(static function => function.IsBridge));
    }

    [Fact]
    public void Domain_Of32Bits_IsReadWhole()
    {
        MachineDescription machine = TestFiles.ParseText("ffff0001:00:01.0 PCI bridge: X\n\tBus: primary=00, secondary=01, subordinate=01\nffff0001:01:00.0 3D controller: NVIDIA Corporation Device 20b0\n");

        Assert.Equal(0xFFFF0001u, machine.Functions[1].Parent!.Value.Domain);
    }

    [Theory]
    [InlineData("7f454c46", "ELF")]
    [InlineData("89504e470d0a", "PNG")]
    [InlineData("504b0304", "zip")]
    [InlineData("28b52ffd", "zstd")]
    [InlineData("255044462d", "PDF")]
    [InlineData("", "empty")]
    [InlineData("2020200a", "blanks")]
    [InlineData("3030303030300030", "zero byte at offset 6")]
    public void OtherKinds_ByTheirFirstBytes_AreNamed(string hex, string part) => AssertRefused(Convert.FromHexString(hex), "file", part);

    [Theory]
    [InlineData("MemTotal:       65000000 kB\nMemFree: 1 kB\n", "/proc/meminfo")]
    [InlineData("[    0.000000] Linux version 6.12\n", "kernel log")]
    [InlineData("Slot:\t00:00.0\nClass:\tHost bridge\n", "machine-readable")]
    [InlineData("a,b,c\n1,2,3\n", "CSV")]
    [InlineData("hello\n", "not known here")]
    [InlineData("# A page\n\nwith words\n", "Markdown")]
    public void OtherTexts_ByTheirWords_AreNamed(string text, string part) => AssertRefused(text, "file.txt", 1, part);

    [Fact]
    public void Encodings_OtherThanUtf8_AreNamed()
    {
        string text = File.ReadAllText(TestFiles.Sample("lspci-vvv.txt"));
        AssertRefused([.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes(text)], "utf16.txt", "UTF-16");
        AssertRefused(Encoding.Unicode.GetBytes(text), "utf16-no-bom.txt", "UTF-16");
        AssertRefused(Encoding.BigEndianUnicode.GetBytes(text), "utf16be.txt", "UTF-16");
        AssertRefused([.. Encoding.UTF32.GetPreamble(), .. Encoding.UTF32.GetBytes(text)], "utf32.txt", "UTF-32");
        byte[] latin1 = Encoding.Latin1.GetBytes(text.Replace("PLX Technology", "PLX T\u00e9chnology", StringComparison.Ordinal));
        AssertRefused(latin1, "latin1.txt", "0xe9");
        MachineDescription marked = MachineReader.Parse(new byte[] { 0xEF, 0xBB, 0xBF }.Concat(Encoding.UTF8.GetBytes(text)).ToArray(), "bom.txt");
        Assert.Equal(8, marked.Functions.Count);
        MachineDescription windows = TestFiles.ParseText(text.Replace("\n", "\r\n", StringComparison.Ordinal));
        Assert.Equal(8, windows.Functions.Count);
    }

    [Theory]
    [InlineData("[", "depth")]
    [InlineData("{\"a\":", "depth")]
    [InlineData("<topology>", "deeper than 256")]
    [InlineData("<system>", "deeper than 256")]
    [InlineData("[[],", "depth")]
    public void Nesting_HundredMegabytes_IsRefusedSoon(string piece, string part)
    {
        byte[] one = Encoding.ASCII.GetBytes(piece);
        byte[] bomb = new byte[BombBytes / one.Length * one.Length];
        for (int i = 0; i < bomb.Length; i += one.Length)
        {
            one.CopyTo(bomb, i);
        }

        var clock = Stopwatch.StartNew();
        // "[[]," repeated nests as well: every piece leaves one array open.
        AssertRefused(bomb, "bomb", part);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30), $"took {clock.Elapsed}");
    }

    [Fact]
    public void Values_MillionsInOneArray_AreRefused()
    {
        byte[] text = Encoding.ASCII.GetBytes("{\"format\":\"hmmfast-machine\",\"remarks\":[" + string.Join(',', Enumerable.Repeat("1", 2_100_000)) + "]}");

        AssertRefused(text, "many.json", "more than 2000000 values");
    }

    [Fact]
    public void Lines_Millions_AreRefused()
    {
        byte[] text = new byte[5_000_000];
        "00:00.0 x"u8.CopyTo(text);
        text.AsSpan(9).Fill((byte)'\n');

        AssertRefused(text, "many.txt", "lines");
    }

    [Fact]
    public void EntityBomb_NestedTenfold_IsRefusedWithItsLine()
    {
        var text = new StringBuilder("<?xml version=\"1.0\"?>\n<!DOCTYPE system [\n<!ENTITY a0 \"aaaaaaaaaa\">\n");
        for (int i = 1; i < 12; i++)
        {
            text.Append("<!ENTITY a").Append(i).Append(" \"").Append(string.Concat(Enumerable.Repeat($"&a{i - 1};", 10))).Append("\">\n");
        }

        text.Append("]>\n<system version=\"1\"><cpu vendor=\"&a11;\"/></system>");

        MachineReadException refused = AssertRefused(text.ToString(), "bomb.xml", 3, "entity declarations");
        Assert.Equal("<!ENTITY", refused.Value);
    }

    [Fact]
    public void GzipBomb_OfZeros_StopsAtTheBound()
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            byte[] zeros = new byte[1 << 20];
            for (int i = 0; i < 300; i++)
            {
                gzip.Write(zeros);
            }
        }

        AssertRefused(packed.ToArray(), "bomb.gz", "unpacked");
    }

    [Fact]
    public void HalfAFile_EverySample_IsRefusedOrReadAsLess()
    {
        // Only a cut that falls between two functions, or two lines, of a text can be read: it is a whole shorter text.
        foreach (string file in Directory.GetFiles(TestFiles.Samples))
        {
            byte[] whole = File.ReadAllBytes(file);
            MachineDescription all = MachineReader.Parse(whole, "whole");
            byte[] half = whole[..(whole.Length / 2)];
            try
            {
                MachineDescription less = MachineReader.Parse(half, "half");
                Assert.InRange(less.Functions.Count, 0, all.Functions.Count);
                Assert.InRange(less.Devices.Count, 0, all.Devices.Count);
                Assert.True(Path.GetExtension(file) is ".txt" or ".md", $"{file} cut in half was read");
            }
            catch (MachineReadException refused)
            {
                Assert.StartsWith("half", refused.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void HalfATar_PackedOrNot_IsRefused()
    {
        byte[] tar = LittleMachine.Tar(LittleMachine.SysfsFiles());
        AssertRefused(tar[..((tar.Length / 2) + 300)], "half.tar", "not a whole tar");
        byte[] packed = File.ReadAllBytes(Path.Combine(TestFiles.Recordings, "sysfs.tar.gz"));
        AssertRefused(packed[..(packed.Length / 2)], "half.tar.gz", "half.tar.gz");
    }

    [Fact]
    public void Tree_LinksInACircle_AreLeftAlone()
    {
        Dictionary<string, object> files = LittleMachine.SysfsFiles();
        files["sys/bus/pci/devices/0000:05:00.0"] = new LittleMachine.Link("0000:06:00.0");
        files["sys/bus/pci/devices/0000:06:00.0"] = new LittleMachine.Link("0000:05:00.0");

        MachineDescription machine = MachineReader.Parse(LittleMachine.Tar(files), "circle.tar");

        Assert.Equal(10, machine.Functions.Count);
        Assert.Null(machine.Functions.Single(static function => function.Address.Bus == 5).VendorId);
    }

    [Fact]
    public void Tree_BadAttribute_NamesTheFileInside()
    {
        Dictionary<string, object> files = LittleMachine.FlatFiles();
        files["copy/0000:01:00.0/vendor"] = "0x10g5\n"u8.ToArray();

        MachineReadException refused = AssertRefused(LittleMachine.Tar(files), "copy.tar", "0xffff");
        Assert.Equal(("copy.tar/copy/0000:01:00.0/vendor", 1, "0x10g5"), (refused.File, refused.Line, refused.Value));
    }

    [Theory]
    [InlineData("topology/nodes/2/io_links/1/properties", "node_to 3", "node_to 9", "no such node")]
    [InlineData("topology/nodes/2/io_links/1/properties", "type 11", "type 99", "unknown link type")]
    [InlineData("topology/nodes/2/io_links/1/properties", "node_from 2", "node_from 3", "starts there")]
    [InlineData("topology/nodes/3/properties", "location_id", "locatoin_id", "location_id")]
    [InlineData("topology/nodes/3/properties", "simd_count 416", "simd_count many", "whole number")]
    public void Kfd_BadProperty_NamesFileAndValue(string path, string what, string with, string part)
    {
        Dictionary<string, object> files = LittleMachine.KfdFiles();
        files[path] = Encoding.ASCII.GetBytes(Encoding.ASCII.GetString((byte[])files[path]).Replace(what, with, StringComparison.Ordinal));

        MachineReadException refused = AssertRefused(LittleMachine.Tar(files), "kfd.tar", part);
        Assert.Equal("kfd.tar/" + path, refused.File);
    }

    [Fact]
    public void Open_NothingThere_SaysSo()
    {
        MachineReadException refused = Assert.Throws<MachineReadException>(() => MachineReader.Open("/nonexistent/machine.json"));
        Assert.StartsWith("/nonexistent/machine.json: cannot be read", refused.Message, StringComparison.Ordinal);
        string empty = Directory.CreateTempSubdirectory("hmmfast-empty-").FullName;
        refused = Assert.Throws<MachineReadException>(() => MachineReader.Open(empty));
        Assert.Contains("it holds nothing", refused.Message, StringComparison.Ordinal);
        Directory.Delete(empty);
    }

    [Fact]
    public void Message_OfABinaryValue_StaysOnOneLine()
    {
        MachineReadException refused = Assert.Throws<MachineReadException>(() => TestFiles.ParseText("00:01.0 PCI bridge: X\nabc\x1b[31m\tdef" + new string('x', 500)));

        Assert.DoesNotContain(refused.Message, static c => char.IsControl(c));
        Assert.True(refused.Message.Length < 300);
    }

    private static MachineReadException AssertRefused(string text, string name, int line, string part)
    {
        MachineReadException refused = AssertRefused(Encoding.UTF8.GetBytes(text), name, part);
        Assert.Equal(line, refused.Line);
        return refused;
    }

    private static MachineReadException AssertRefused(byte[] content, string name, string part)
    {
        MachineReadException refused = Assert.Throws<MachineReadException>(() => MachineReader.Parse(content, name));
        Assert.Contains(part, refused.Message, StringComparison.Ordinal);
        Assert.StartsWith(name, refused.Message, StringComparison.Ordinal);
        return refused;
    }
}
