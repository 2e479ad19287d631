namespace HmmFast.Tests.Engine;

/// <summary>Frames, slots and device pages that run out at each place that takes them: the answer, and nothing lost.</summary>
public sealed class OutOfMemoryTests
{
    [Fact]
    public void CpuWrite_FramesRunOutInARun_PagesBeforeAreWritten()
    {
        using EngineWorld world = new(systemFrames: 10);
        world.Map(0, 16);
        var results = new CpuAccessResult[16];
        Assert.Equal(CpuAccessResult.OutOfMemory, world.Space.CpuWrite(EngineWorld.Pages(0, 16), 1, 1, results));
        for (int i = 0; i < 16; i++)
        {
            Assert.Equal(i < 10 ? CpuAccessResult.Ok : CpuAccessResult.OutOfMemory, results[i]);
        }

        Assert.Equal(0UL, world.Memory.FreeSystemFrameCount);
        Assert.Equal(10UL, world.Read(9));
    }

    [Fact]
    public void RangeFault_FramesRunOut_EntriesHoldTheirInputAndPagesStay()
    {
        using EngineWorld world = new(systemFrames: 10);
        world.Map(0, 16);
        HmmPfn[] words = [.. Enumerable.Repeat(new HmmPfn(0x55), 16)];
        Assert.Equal(HmmStatus.OutOfMemory, world.Fault(0, words, HmmRequestFlags.Fault | HmmRequestFlags.Write));
        Assert.All(words, word => Assert.Equal(0x55UL, word.Raw));
        Assert.Equal(PageEntryKind.Present, world.Observe(9).Kind);
        Assert.Equal(PageEntryKind.None, world.Observe(10).Kind);
    }

    [Fact]
    public void RangeFault_CopyFindsNoFrame_ZeroPageStays()
    {
        using EngineWorld world = new(systemFrames: 1);
        world.Map(0, 4);
        world.Write(0, 1);
        world.Read(1);
        var words = new HmmPfn[1];
        Assert.Equal(HmmStatus.OutOfMemory, world.Fault(1, words, HmmRequestFlags.Fault | HmmRequestFlags.Write));
        Assert.True(world.Observe(1).IsZeroPage);
    }

    [Fact]
    public void CopyOnWrite_NoFrame_BothKeepTheirContent()
    {
        using EngineWorld world = new(systemFrames: 1);
        world.Map(0, 1);
        world.Write(0, 1, tag: 7);
        using IAddressSpace child = world.Space.Fork();
        Assert.Equal(CpuAccessResult.OutOfMemory, child.CpuWrite(EngineWorld.Pages(0, 1), 9, 0, default));
        Assert.Equal(7UL, world.Read(0));
        ulong[] tags = [0];
        Assert.Equal(CpuAccessResult.Ok, child.CpuRead(EngineWorld.Pages(0, 1), tags, default));
        Assert.Equal(7UL, tags[0]);
    }

    [Fact]
    public void MigrateToRam_NoSystemFrame_PageStaysOnTheDevice()
    {
        using EngineWorld world = new(systemFrames: 2);
        world.Map(0, 2);
        world.Write(0, 1, tag: 7);
        Assert.Equal(1, world.MigrateToDevice(world.Gpu0, 0, 1));
        Assert.Equal(HmmStatus.Ok, world.Memory.TryAllocateSystemPage(out Pfn one));
        Assert.Equal(HmmStatus.Ok, world.Memory.TryAllocateSystemPage(out Pfn two));
        var words = new HmmPfn[1];
        Assert.Equal(HmmStatus.OutOfMemory, world.Fault(0, words, HmmRequestFlags.Fault));
        Assert.Equal(PageEntryKind.DevicePrivate, world.Observe(0).Kind);
        world.Memory.ReleasePage(one);
        world.Memory.ReleasePage(two);
        Assert.Equal(7UL, world.Read(0));
    }

    [Fact]
    public void MigrateToDevice_DevicePagesRunOut_TheRestStaysInSystemMemory()
    {
        using EngineWorld world = new();
        world.Map(0, 1100);
        world.Write(0, 1100, tag: 50);
        Assert.Equal(1024, world.MigrateToDevice(world.Gpu0, 0, 1100));
        Assert.Equal(PageEntryKind.DevicePrivate, world.Observe(1023).Kind);
        Assert.Equal(PageEntryKind.Present, world.Observe(1024).Kind);
        Assert.Equal(50UL + 1024, world.Read(1024));
        Assert.Equal(0UL, world.Memory.FreeDevicePageCount(world.Gpu0));
    }

    [Fact]
    public void PageOut_SlotsRunOut_LaterPagesStay()
    {
        using EngineWorld world = new(swapSlots: 3);
        world.Map(0, 5);
        world.Write(0, 5, tag: 20);
        Assert.Equal(HmmStatus.Ok, world.Space.Advise(EngineWorld.Pages(0, 5), Advice.PageOut));
        Assert.Equal(PageEntryKind.Swap, world.Observe(2).Kind);
        Assert.Equal(PageEntryKind.Present, world.Observe(3).Kind);
        for (ulong page = 0; page < 5; page++)
        {
            Assert.Equal(20 + page, world.Read(page));
        }
    }

    [Fact]
    public void HugeFault_NoRunOf512_FallsBackToAPage()
    {
        using EngineWorld world = new(systemFrames: 600);
        world.Map(0, 1024);
        Assert.Equal(HmmStatus.Ok, world.Space.Advise(EngineWorld.Pages(0, 1024), Advice.HugePage));
        world.Write(600, 1);
        Assert.False(world.Observe(600).IsHugeMapped);
        Assert.Equal(PageEntryKind.None, world.Observe(601).Kind);
    }

    [Fact]
    public void DriverMapping_TooFewFrames_NothingIsMapped()
    {
        using EngineWorld world = new(systemFrames: 3);
        Assert.Equal(HmmStatus.OutOfMemory, world.Space.Map(EngineWorld.Pages(0, 4), Protection.ReadWrite, MappingKind.DriverMixed, FileId.None, 0));
        Assert.Empty(world.Space.Vmas);
        Assert.Equal(3UL, world.Memory.FreeSystemFrameCount);
    }

    [Fact]
    public void CreateFile_TooFewFrames_ThrowsAndGivesThemBack()
    {
        using EngineWorld world = new(systemFrames: 3);
        var options = new FileOptions { Kind = FileKind.Memfd, PageCount = 5, InitialTag = static page => page + 1 };
        Assert.Throws<InsufficientMemoryException>(() => world.Memory.CreateFile(options));
        Assert.Equal(3UL, world.Memory.FreeSystemFrameCount);
    }
}
