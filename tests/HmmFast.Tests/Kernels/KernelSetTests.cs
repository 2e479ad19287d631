using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using HmmFast.Kernels;

namespace HmmFast.Tests.Kernels;

/// <summary>Choosing a width, forcing one, and proof that the forced one is the one that ran; tables; allocation.</summary>
public sealed class KernelSetTests
{
    public static TheoryData<string> Widths => KernelData.Widths();

    [Fact]
    public void All_OnThisMachine_IsBestFirstAndEndsScalar()
    {
        Assert.Equal("scalar", KernelSet.All[^1].Name);
        int[] bits = [.. KernelSet.All.Select(set => set.WidthBits)];
        Assert.Equal(bits.OrderDescending(), bits);
        Assert.Equal(KernelSet.All.Count, KernelSet.All.Select(set => set.Name).Distinct().Count());
        Assert.Equal(Vector512.IsHardwareAccelerated, KernelSet.All.Any(set => set.WidthBits == 512));
        Assert.Equal(Vector256.IsHardwareAccelerated, KernelSet.All.Any(set => set.WidthBits == 256));
        Assert.Equal(Vector128.IsHardwareAccelerated, KernelSet.All.Any(set => set.WidthBits == 128));
    }

    [Fact]
    public void Choose_UnknownName_ThrowsListingWhatThereIs()
    {
        ArgumentException thrown = Assert.Throws<ArgumentException>(() => KernelSet.Choose("1024"));
        Assert.Contains("'1024'", thrown.Message, StringComparison.Ordinal);
        Assert.Contains("scalar", thrown.Message, StringComparison.Ordinal);
        Assert.Same(KernelSet.All[0], KernelSet.Choose(null));
        Assert.Same(KernelSet.All[0], KernelSet.Choose(string.Empty));
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Choose_ByName_RunsTheCodeOfThatWidth(string width)
    {
        // The set's own code is what its type parameter says; the type is the proof that the name does not lie.
        KernelSet set = KernelSet.Choose(width);
        Type lanes = set.GetType().GetGenericArguments().Single();
        Assert.Equal(width, lanes.GetProperty("Name")!.GetValue(null));
        CountingLanes<LanesScalar>.Calls = 0;
        KernelSetOf<CountingLanes<LanesScalar>> counted = new();
        ulong[] words = new ulong[1000];
        counted.Resolve(new byte[1000], new uint[1000], new ByteTable([Resolution.Valid]), WordFormat.Plain, words);
        Assert.Equal(16, CountingLanes<LanesScalar>.Calls);
        Assert.All(words, word => Assert.Equal(1UL << 63, word));
    }

    [SkippableTheory]
    [MemberData(nameof(Widths))]
    public void ForceVariable_InANewProcess_ForcesTheWidth(string width)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "HmmFast.Properties.dll");
        Skip.IfNot(File.Exists(program), $"no program to start beside the tests: {program}");
        string? host = Environment.ProcessPath;
        Skip.If(host is null || !Path.GetFileNameWithoutExtension(host).Equals("dotnet", StringComparison.Ordinal), "the tests do not run under dotnet");
        ProcessStartInfo start = new(host!) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(program);
        start.ArgumentList.Add("--width");
        start.Environment[KernelSet.ForceVariable] = width;
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(width, output.Trim());
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Kernels_Warm_AllocateNothing(string width)
    {
        KernelSet kernels = KernelSet.Choose(width);
        byte[] classes = new byte[1000];
        uint[] pfns = new uint[1000];
        ulong[] words = new ulong[1000];
        uint[] starts = new uint[1000];
        ByteTable table = new([Resolution.Valid, 0]);
        RequestTables tables = new();
        PageRequest request = new(3UL << 62, 0);
        byte[] flipped = [0, Resolution.Valid];
        long bytes = AllocationMeter.LargestOf(
            warmups: 1,
            calls: 2,
            static () => { },
            () =>
            {
                kernels.Resolve(classes, pfns, table, WordFormat.Plain, words);
                kernels.Resolve(classes, pfns, table, new WordFormat(1UL << 60, 50), words);
                kernels.ResolvePerPage(classes, pfns, tables, request, WordFormat.Plain, words);
                kernels.Classify(classes, table, words);
                kernels.FindMember(classes, table, 1);
                kernels.Extents(classes, pfns, table, 0, starts, words);
                kernels.Map(classes, table, classes);
                kernels.CountUp(pfns, 5);
                kernels.FillWords(words, 5, 1);
                kernels.Add(pfns, 5);
                table.Set(flipped);
            });
        Assert.Equal(0, bytes);
    }

    [Fact]
    public unsafe void ByteTable_Entries_AreAlignedAndPadded()
    {
        ByteTable table = new([1, 2, 3]);
        Assert.Equal((nuint)0, (nuint)table.Pointer % 64);
        Assert.Equal(3, table.Count);
        Assert.Equal(1, table.RowCount);
        Assert.Equal(3, table[2]);
        Assert.Equal(0, table[3]);
        table.Set(Enumerable.Repeat((byte)9, 77).ToArray());
        Assert.Equal(5, table.RowCount);
        table.Set([4]);
        Assert.Equal(0, table[1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => table.Set([]));
        Assert.Throws<ArgumentOutOfRangeException>(() => table.Set(new byte[257]));
        Assert.Equal(4, table[0]);
    }

    [Fact]
    public unsafe void Scratch_Layout_HasEveryPartOnA64ByteBorder()
    {
        Assert.True(sizeof(Scratch) + 64 <= Scratch.AllocationBytes, $"{sizeof(Scratch)} bytes and 63 to align do not fit {Scratch.AllocationBytes}");
        foreach (System.Reflection.FieldInfo field in typeof(Scratch).GetFields(System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.Public))
        {
            Assert.Equal(0, Marshal.OffsetOf<Scratch>(field.Name) % 64);
        }
    }
}
