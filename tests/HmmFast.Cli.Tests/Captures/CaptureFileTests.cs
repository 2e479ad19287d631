using System.Buffers.Binary;
using System.IO.Hashing;
using HmmFast.Simulation.Captures;
using Xunit.Abstractions;

namespace HmmFast.Cli.Tests.Captures;

public sealed class CaptureFileTests(ITestOutputHelper output)
{
    [Fact]
    public void Write_FolderThatIsNotThere_NamesTheFileAskedFor()
    {
        using TemporaryDirectory directory = new();
        string path = Path.Combine(directory.Path, "none", "x.hmf");
        DirectoryNotFoundException e = Assert.Throws<DirectoryNotFoundException>(() => CaptureFile.Write(path, SampleCaptures.Small()));
        Assert.Equal($"{path}: cannot be written: there is no folder {Path.GetDirectoryName(path)}.", e.Message);
    }

    [SkippableFact]
    public void Write_FolderThatTakesNoFiles_NamesTheFileAskedFor()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "/proc takes no files on Linux");
        Exception? e = Record.Exception(() => CaptureFile.Write("/proc/x.hmf", SampleCaptures.Small()));
        Assert.True(e is IOException or UnauthorizedAccessException, $"{e}");
        Assert.StartsWith("/proc/x.hmf: cannot be written: ", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(".tmp", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Encode_EveryKindOfPage_ReadsBackEqual()
    {
        foreach (Capture capture in (Capture[])[SampleCaptures.Small(), SampleCaptures.WithKernelFrames()])
        {
            Capture read = CaptureFile.Decode(CaptureFile.Encode(capture), "test");
            Assert.True(read.IsEqualTo(capture));
            Assert.Equal(capture.Summary, read.Summary);
        }
    }

    [Fact]
    public void Encode_SameCaptureTwice_SameBytes() =>
        Assert.Equal(CaptureFile.Encode(SampleCaptures.Small()), CaptureFile.Encode(SampleCaptures.Small()));

    [Fact]
    public void Encode_RunsOfAGibibyte_TakeLessThanAKibibyte()
    {
        CaptureBuilder builder = new();
        VpnRange range = new(new Vpn(0), PageOrder.PagesPerGibibyte);
        builder.BeginVma(new CapturedVma(range, Protection.ReadWrite, MappingKind.PrivateAnonymous, -1, 0, VmaTraits.None));
        builder.AppendSynthetic(range.Start, range.PageCount, PageState.Present);
        Assert.InRange(CaptureFile.Encode(builder.Build(new CaptureFacts { ProcessName = "large" })).Length, 1, 1023);
    }

    [Fact]
    public void Decode_EverySingleByteFlip_RefusedOrEqual()
    {
        Capture capture = SampleCaptures.Small();
        byte[] bytes = CaptureFile.Encode(capture);
        int refused = 0;
        for (int at = 0; at < bytes.Length; at++)
        {
            byte was = bytes[at];
            for (int flip = 1; flip < 256; flip++)
            {
                bytes[at] = (byte)(was ^ flip);
                if (IsRefused(bytes, out Capture? read))
                {
                    refused++;
                }
                else
                {
                    Assert.True(read!.IsEqualTo(capture), $"byte {at} flipped by 0x{flip:x2} read as something else");
                }
            }

            bytes[at] = was;
        }

        output.WriteLine($"{refused} of {bytes.Length * 255} flips refused");
        Assert.True(refused > bytes.Length * 254);
    }

    [Fact]
    public void Decode_EveryTruncationAndOneByteMore_Refused()
    {
        byte[] bytes = CaptureFile.Encode(SampleCaptures.Small());
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.True(IsRefused(bytes.AsSpan(0, length), out _), $"{length} of {bytes.Length} bytes were read");
        }

        Assert.True(IsRefused([.. bytes, 0], out _));
    }

    [Theory]
    [InlineData(new byte[0], "empty")]
    [InlineData(new byte[] { 0x1f, 0x8b, 8, 0 }, "gzip")]
    [InlineData(new byte[] { (byte)'{', (byte)'}' }, "JSON")]
    [InlineData(new byte[] { 0x7f, (byte)'E', (byte)'L', (byte)'F', 2 }, "ELF")]
    public void Decode_ForeignFile_SaysWhatItLooksLike(byte[] bytes, string expected)
    {
        CaptureException e = Assert.Throws<CaptureException>(() => CaptureFile.Decode(bytes, "x.hmf"));
        Assert.Contains("x.hmf", e.Message, StringComparison.Ordinal);
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_OtherVersion_NamesBothVersions()
    {
        byte[] bytes = CaptureFile.Encode(SampleCaptures.Small());
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), 7);
        CaptureException e = Assert.Throws<CaptureException>(() => CaptureFile.Decode(bytes, "x"));
        Assert.Contains("version 7", e.Message, StringComparison.Ordinal);
        Assert.Contains($"version {CaptureFile.Version}", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(-1L)]
    [InlineData(300L << 20)]
    [InlineData(1L << 20)]
    public void Decode_FalsePayloadSizeUnderRightChecksum_RefusedWithoutTheMemory(long claimed)
    {
        byte[] bytes = CaptureFile.Encode(SampleCaptures.Small());
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(16), claimed);
        Reseal(bytes);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.True(IsRefused(bytes, out _));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4L << 20);
    }

    [Fact]
    public void Decode_HostilePayloadUnderRightChecksum_RefusedOrConsistent()
    {
        // The checksum guards against accidents only; whoever can write a file can make it fit. What is inside must be checked all the same.
        int seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        Random random = new(seed);
        byte[][] payloads = [CaptureCodec.Encode(SampleCaptures.Small()).Written.ToArray(), CaptureCodec.Encode(SampleCaptures.WithKernelFrames()).Written.ToArray()];
        int refused = 0;
        for (int i = 0; i < 20_000; i++)
        {
            byte[] payload = [.. payloads[i % payloads.Length]];
            for (int change = random.Next(1, 4); change > 0; change--)
            {
                payload[random.Next(payload.Length)] = random.Next(3) == 0 ? (byte)255 : (byte)random.Next(256);
            }

            byte[] bytes = CaptureFile.Wrap(random.Next(4) == 0 ? payload.AsSpan(0, random.Next(payload.Length)) : payload);
            if (IsRefused(bytes, out Capture? read))
            {
                refused++;
            }
            else
            {
                Assert.True(CaptureFile.Decode(CaptureFile.Encode(read!), "again").IsEqualTo(read!), $"seed {seed}, mutant {i}");
            }
        }

        output.WriteLine($"{refused} of 20000 refused");
        Assert.InRange(refused, 1000, 19_999);
    }

    [Fact]
    public void Decode_CountsOfBillions_RefusedWithoutTheMemory()
    {
        byte[] payload = CaptureCodec.Encode(SampleCaptures.Small()).Written.ToArray();

        // "sample" is 6 letters and a length; pid, kernel release, six flags, skipped VMAs: then the count of files.
        const int filesAt = 1 + 6 + 1 + 1 + 6 + 1;
        byte[] hostile = [.. payload.AsSpan(0, filesAt), 0xff, 0xff, 0xff, 0xff, 0x07, .. payload.AsSpan(filesAt)];
        long before = GC.GetAllocatedBytesForCurrentThread();
        CaptureException e = Assert.Throws<CaptureException>(() => CaptureCodec.Decode(hostile));
        Assert.Contains("files", e.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1L << 20);
    }

    [Fact]
    public void Write_ThenRead_LeavesOnlyTheFile()
    {
        using TemporaryDirectory directory = new();
        string path = directory.File("a.hmf");
        CaptureFile.Write(path, SampleCaptures.WithKernelFrames());
        long bytes = CaptureFile.Write(path, SampleCaptures.Small());
        Assert.Equal([path], Directory.GetFiles(directory.Path));
        Assert.Equal(bytes, new FileInfo(path).Length);
        Assert.True(CaptureFile.Read(path).IsEqualTo(SampleCaptures.Small()));
    }

    [Fact]
    public void Write_OntoADirectory_RefusedAndNothingLeft()
    {
        using TemporaryDirectory directory = new();
        string path = directory.File("taken");
        Directory.CreateDirectory(path);
        Assert.ThrowsAny<IOException>(() => CaptureFile.Write(path, SampleCaptures.Small()));
        Assert.ThrowsAny<IOException>(() => CaptureFile.Write(directory.File("missing/a.hmf"), SampleCaptures.Small()));
        Assert.Empty(Directory.GetFiles(directory.Path, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void Read_FileLargerThanAnyCapture_RefusedUnread()
    {
        using TemporaryDirectory directory = new();
        string path = directory.File("huge");
        using (FileStream stream = new(path, FileMode.CreateNew))
        {
            stream.SetLength(CaptureFile.MaxFileBytes + 1); // sparse: takes no disk
        }

        CaptureException e = Assert.Throws<CaptureException>(() => CaptureFile.Read(path));
        Assert.Contains($"{CaptureFile.MaxFileBytes}", e.Message, StringComparison.Ordinal);
    }

    private static bool IsRefused(ReadOnlySpan<byte> bytes, out Capture? read)
    {
        try
        {
            read = CaptureFile.Decode(bytes, "test");
            return false;
        }
        catch (CaptureException)
        {
            read = null;
            return true;
        }
    }

    private static void Reseal(byte[] bytes)
    {
        XxHash128 hash = new();
        hash.Append(bytes.AsSpan(0, 48));
        hash.Append(bytes.AsSpan(CaptureFile.HeaderBytes));
        hash.GetCurrentHash(bytes.AsSpan(48, 16));
    }
}
