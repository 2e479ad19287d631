namespace HmmFast.Tests.Reference;

/// <summary>Where frames run out: the page says so, and nothing that was there is lost.</summary>
public sealed class OutOfMemoryTests
{
    [Fact]
    public void CpuWrite_NoFrame_SaysSoAndLeavesThePageEmpty()
    {
        using ReferenceMachine machine = new(systemFrames: 2);
        machine.MapAnonymous(0, 4);
        CpuAccessResult[] results = new CpuAccessResult[4];
        Assert.Equal(CpuAccessResult.OutOfMemory, machine.Space.CpuWrite(ReferenceMachine.Pages(0, 4), 10, 1, results));
        Assert.Equal([CpuAccessResult.Ok, CpuAccessResult.Ok, CpuAccessResult.OutOfMemory, CpuAccessResult.OutOfMemory], results);
        Assert.Equal(PageEntryKind.None, machine.Look(2).Kind);
        Assert.Equal(new Pfn(1), machine.Look(0).Frame);
        Assert.Equal(0ul, machine.Memory.FreeSystemFrameCount);
    }

    [Fact]
    public void CopyOnWrite_NoFrame_KeepsTheSharedPage()
    {
        using ReferenceMachine machine = new(systemFrames: 1);
        machine.MapAnonymous(0, 1);
        machine.Write(0, 5);
        using IAddressSpace child = machine.Space.Fork();
        Assert.Equal(CpuAccessResult.OutOfMemory, machine.Write(0, 6));
        Assert.Equal(CpuAccessResult.Ok, machine.Read(0, out ulong tag));
        Assert.Equal(5ul, tag);
        Assert.Equal(2u, machine.Look(0).MapCount);
    }

    [Fact]
    public void MigrateToRam_NoFrame_LeavesThePageOnTheDevice()
    {
        using ReferenceMachine machine = new(systemFrames: 1);
        machine.MapAnonymous(0, 2);
        machine.Write(0, 5);
        Assert.Equal(1ul, machine.ToDevice(0, 1));
        machine.Write(1, 6);
        Assert.Equal(CpuAccessResult.OutOfMemory, machine.Read(0, out _));
        PageObservation seen = machine.Look(0);
        Assert.Equal((PageEntryKind.DevicePrivate, true), (seen.Kind, seen.IsWritable));
        Assert.Equal(5ul, machine.Memory.ReadContent(seen.Frame));
        machine.Space.Unmap(ReferenceMachine.Pages(1, 1));
        Assert.Equal(CpuAccessResult.Ok, machine.Read(0, out ulong tag));
        Assert.Equal(5ul, tag);
        Assert.Equal(64ul, machine.Memory.FreeDevicePageCount(machine.Device));
    }

    [Fact]
    public void RangeFault_NoFrame_AnswersAtThatPageWithTheInputKept()
    {
        using ReferenceMachine machine = new(systemFrames: 2);
        machine.MapAnonymous(0, 4);
        HmmStatus status = machine.Fault(0, 4, HmmRequestFlags.Fault | HmmRequestFlags.Write, default, FaultHabit.RunForward, out HmmPfn[] words);
        Assert.Equal(HmmStatus.OutOfMemory, status);
        Assert.All(words, static word => Assert.Equal(0ul, word.Raw));
        Assert.Equal(PageEntryKind.Present, machine.Look(1).Kind);
        Assert.Equal(PageEntryKind.None, machine.Look(2).Kind);
    }

    [Fact]
    public void SwapIn_NoFrame_KeepsTheSlot()
    {
        using ReferenceMachine machine = new(systemFrames: 1);
        machine.MapAnonymous(0, 2);
        machine.Write(0, 5);
        machine.Space.Advise(ReferenceMachine.Pages(0, 1), Advice.PageOut);
        machine.Write(1, 6);
        Assert.Equal(CpuAccessResult.OutOfMemory, machine.Read(0, out _));
        Assert.Equal(PageEntryKind.Swap, machine.Look(0).Kind);
        machine.Space.Advise(ReferenceMachine.Pages(1, 1), Advice.DontNeed);
        Assert.Equal(CpuAccessResult.Ok, machine.Read(0, out ulong tag));
        Assert.Equal(5ul, tag);
    }

    [Fact]
    public void PageOut_NoSlot_LeavesThePage()
    {
        using ReferenceMachine machine = new(swapSlots: 1);
        machine.MapAnonymous(0, 2);
        machine.Space.CpuWrite(ReferenceMachine.Pages(0, 2), 5, 1, default);
        machine.Space.Advise(ReferenceMachine.Pages(0, 2), Advice.PageOut);
        Assert.Equal(PageEntryKind.Swap, machine.Look(0).Kind);
        Assert.Equal(PageEntryKind.Present, machine.Look(1).Kind);
        Assert.Equal(1ul, machine.Memory.Counters.PagesSwappedOut);
    }

    [Fact]
    public void HugeFault_NoRun_FallsBackToSmallPages()
    {
        using ReferenceMachine machine = new(systemFrames: 600);
        machine.MapAnonymous(0, 512);
        machine.Space.Advise(ReferenceMachine.Pages(0, 512), Advice.HugePage);
        machine.Write(3, 5);
        Assert.False(machine.Look(3).IsHugeMapped);
        Assert.Equal(PageEntryKind.None, machine.Look(4).Kind);
        Assert.Equal(HmmStatus.OutOfMemory, machine.Space.Advise(ReferenceMachine.Pages(0, 512), Advice.Collapse));
    }

    [Fact]
    public void MapDriverPages_TooFewFrames_MapsNothing()
    {
        using ReferenceMachine machine = new(systemFrames: 3);
        Assert.Equal(HmmStatus.OutOfMemory, machine.Space.Map(ReferenceMachine.Pages(0, 4), Protection.ReadWrite, MappingKind.DriverMixed, FileId.None, 0));
        Assert.Empty(machine.Space.Vmas);
        Assert.Equal(3ul, machine.Memory.FreeSystemFrameCount);
    }

    [Fact]
    public void ExclusiveAccess_NoFrame_TakesThePagesInFront()
    {
        using ReferenceMachine machine = new(systemFrames: 2);
        machine.MapAnonymous(0, 4);
        Pfn[] pages = new Pfn[4];
        Assert.Equal(HmmStatus.Ok, machine.Space.MakeDeviceExclusive(ReferenceMachine.Pages(0, 4), ReferenceMachine.Owner, pages, out ulong faulted));
        Assert.Equal(2ul, faulted);
        Assert.Equal([new Pfn(1), new Pfn(2), Pfn.None, Pfn.None], pages);
        Assert.Equal(HmmStatus.OutOfMemory, machine.Space.MakeDeviceExclusive(ReferenceMachine.Pages(2, 2), ReferenceMachine.Owner, pages.AsSpan(2), out faulted));
        Assert.Equal(0ul, faulted);
    }
}
