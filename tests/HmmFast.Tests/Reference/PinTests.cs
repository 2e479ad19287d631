namespace HmmFast.Tests.Reference;

/// <summary>Pages that somebody holds beyond their mappings stay where they are.</summary>
public sealed class PinTests
{
    [Fact]
    public void Migration_PinnedPage_IsPutBackUncounted()
    {
        using ReferenceMachine machine = new();
        machine.MapAnonymous(0, 2);
        machine.Space.CpuWrite(ReferenceMachine.Pages(0, 2), 5, 1, default);
        Pfn pinned = machine.Look(0).Frame;
        machine.Memory.Pin(pinned);
        Assert.Equal(1ul, machine.ToDevice(0, 2));
        PageObservation seen = machine.Look(0);
        Assert.Equal((PageEntryKind.Present, pinned, true), (seen.Kind, seen.Frame, seen.IsWritable));
        Assert.Equal(PageEntryKind.DevicePrivate, machine.Look(1).Kind);
        machine.Memory.Unpin(pinned);
        Assert.Equal(1ul, machine.ToDevice(0, 1));
        Assert.Equal(PageEntryKind.DevicePrivate, machine.Look(0).Kind);
    }

    [Fact]
    public void Unmap_PinnedPage_KeepsTheFrameUntilUnpinned()
    {
        using ReferenceMachine machine = new();
        machine.MapAnonymous(0, 1);
        machine.Write(0, 5);
        Pfn pinned = machine.Look(0).Frame;
        machine.Memory.Pin(pinned);
        machine.Space.Unmap(ReferenceMachine.Pages(0, 1));
        Assert.Equal(5ul, machine.Memory.ReadContent(pinned));
        Assert.Equal(new FrameObservation(true, 0, 1, 5), machine.Memory.ObserveFrame(pinned));
        machine.Memory.Unpin(pinned);
        Assert.Equal(64ul, machine.Memory.FreeSystemFrameCount);
    }

    [Fact]
    public void PageOut_PinnedPage_StaysInTheSwapCache()
    {
        using ReferenceMachine machine = new();
        machine.MapAnonymous(0, 1);
        machine.Write(0, 5);
        Pfn pinned = machine.Look(0).Frame;
        machine.Memory.Pin(pinned);
        machine.Space.Advise(ReferenceMachine.Pages(0, 1), Advice.PageOut);
        Assert.Equal(PageEntryKind.Swap, machine.Look(0).Kind);
        Assert.Equal(63ul, machine.Memory.FreeSystemFrameCount);
        Assert.Equal(CpuAccessResult.Ok, machine.Read(0, out ulong tag));
        Assert.Equal(5ul, tag);
        Assert.Equal(pinned, machine.Look(0).Frame);
        machine.Memory.Unpin(pinned);
    }

    [Fact]
    public void CpuTouch_PinnedPrivatePage_EndsInSigBus()
    {
        using ReferenceMachine machine = new();
        machine.MapAnonymous(0, 1);
        machine.Write(0, 5);
        machine.ToDevice(0, 1);
        Pfn devicePage = machine.Look(0).Frame;
        machine.Memory.Pin(devicePage);
        Assert.Equal(CpuAccessResult.SigBus, machine.Read(0, out _));
        Assert.Equal(devicePage, machine.Look(0).Frame);
        machine.Memory.Unpin(devicePage);
        Assert.Equal(CpuAccessResult.Ok, machine.Read(0, out ulong tag));
        Assert.Equal(5ul, tag);
    }

    [Fact]
    public void Collapse_PinnedPage_AnswersTryAgain()
    {
        using ReferenceMachine machine = new(systemFrames: 2048);
        machine.MapAnonymous(0, 512);
        machine.Write(3, 5);
        Pfn pinned = machine.Look(3).Frame;
        machine.Memory.Pin(pinned);
        Assert.Equal(HmmStatus.TryAgain, machine.Space.Advise(ReferenceMachine.Pages(0, 512), Advice.Collapse));
        machine.Memory.Unpin(pinned);
        Assert.Equal(HmmStatus.Ok, machine.Space.Advise(ReferenceMachine.Pages(0, 512), Advice.Collapse));
        Assert.True(machine.Look(3).IsHugeMapped);
        Assert.Equal(5ul, machine.Memory.ReadContent(machine.Look(3).Frame));
    }

    [Fact]
    public void Unpin_NotPinned_Throws()
    {
        using ReferenceMachine machine = new();
        machine.MapAnonymous(0, 1);
        machine.Write(0, 5);
        Pfn frame = machine.Look(0).Frame;
        Assert.Throws<InvalidOperationException>(() => machine.Memory.Unpin(frame));
        Assert.Throws<InvalidOperationException>(() => machine.Memory.Pin(new Pfn(60)));
    }
}
