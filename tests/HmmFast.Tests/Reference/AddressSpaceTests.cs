namespace HmmFast.Tests.Reference;

/// <summary>What the recordings do not ask of address-space calls: errors of mremap, misuse, ends of lives, the other fault habit, read-ahead.</summary>
public sealed class AddressSpaceTests
{
    [Fact]
    public void Remap_NoVmaAtTheSource_LeavesTheTarget()
    {
        using ReferenceMachine machine = new();
        machine.MapAnonymous(8, 4);
        Assert.Equal(HmmStatus.Fault, machine.Space.Remap(ReferenceMachine.Pages(0, 4), new Vpn(ReferenceMachine.Base + 8)));
        Assert.Equal(4ul, Assert.Single(machine.Space.Vmas).Range.PageCount);
    }

    [Fact]
    public void Remap_SourceEndsInAHole_GivesUpTheTargetFirst()
    {
        using ReferenceMachine machine = new();
        machine.MapAnonymous(0, 2);
        machine.MapAnonymous(8, 4);
        Assert.Equal(HmmStatus.Fault, machine.Space.Remap(ReferenceMachine.Pages(0, 4), new Vpn(ReferenceMachine.Base + 8)));
        Assert.Equal(ReferenceMachine.Pages(0, 2), Assert.Single(machine.Space.Vmas).Range);
    }

    [Fact]
    public void Remap_OverlappingOrEmpty_IsInvalid()
    {
        using ReferenceMachine machine = new();
        machine.MapAnonymous(0, 8);
        Assert.Equal(HmmStatus.Invalid, machine.Space.Remap(ReferenceMachine.Pages(0, 4), new Vpn(ReferenceMachine.Base + 3)));
        Assert.Equal(HmmStatus.Invalid, machine.Space.Remap(ReferenceMachine.Pages(0, 0), new Vpn(ReferenceMachine.Base + 20)));
        Assert.Equal(8ul, Assert.Single(machine.Space.Vmas).Range.PageCount);
    }

    [Fact]
    public void Calls_OutsideTheWindow_Throw()
    {
        using ReferenceMachine machine = new();
        VpnRange outside = new(machine.Memory.Options.Window.End, 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => machine.Space.Unmap(outside));
        Assert.Throws<ArgumentOutOfRangeException>(() => machine.Space.CpuRead(outside, default, default));
        machine.MapAnonymous(0, 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => machine.Space.Remap(ReferenceMachine.Pages(0, 1), outside.Start));
    }

    [Fact]
    public void Calls_AfterExit_Throw()
    {
        using ReferenceMachine machine = new();
        machine.MapAnonymous(0, 1);
        machine.Write(0, 5);
        machine.Space.Dispose();
        machine.Space.Dispose();
        Assert.Empty(machine.Memory.AddressSpaces);
        Assert.Equal(64ul, machine.Memory.FreeSystemFrameCount);
        Assert.Throws<ObjectDisposedException>(() => machine.Space.Unmap(ReferenceMachine.Pages(0, 1)));
        Assert.Throws<ObjectDisposedException>(() => machine.Space.Fork());
        Assert.Throws<ObjectDisposedException>(() => machine.Space.Vmas);
        machine.Memory.Dispose();
        Assert.Throws<ObjectDisposedException>(() => machine.Memory.CreateAddressSpace());
    }

    [Fact]
    public void Migration_CallsOutOfOrder_Throw()
    {
        using ReferenceMachine machine = new();
        machine.MapAnonymous(0, 2);
        MigrateVma migration = new(ReferenceMachine.Pages(0, 2), MigrateVmaFlags.SelectSystem, ReferenceMachine.Owner);
        Assert.Throws<InvalidOperationException>(() => machine.Space.MigrateVmaPages(migration));
        machine.Space.MigrateVmaSetup(migration);
        Assert.Throws<InvalidOperationException>(() => machine.Space.MigrateVmaFinalize(migration));
        Assert.Throws<InvalidOperationException>(() => machine.Space.MigrateVmaSetup(migration));
        migration.Destination[0] = MigratePfn.Of(new Pfn(9), migrating: true, writable: true);
        Assert.Throws<ArgumentException>(() => machine.Space.MigrateVmaPages(migration));
    }

    [Theory]
    [InlineData(FaultHabit.RunForward, 0)]
    [InlineData(FaultHabit.OnlyAsked, 3)]
    public void RangeFault_OwnPagesBehindAnEmptyOne_StayUnderTheOtherHabit(FaultHabit habit, int staying)
    {
        using ReferenceMachine machine = new();
        machine.MapAnonymous(0, 4);
        machine.Space.CpuWrite(ReferenceMachine.Pages(1, 3), 5, 1, default);
        machine.ToDevice(1, 3);
        HmmStatus status = machine.Fault(0, 4, HmmRequestFlags.Fault, ReferenceMachine.Owner, habit, out _);
        Assert.Equal(habit == FaultHabit.RunForward ? HmmStatus.Busy : HmmStatus.Ok, status);
        Assert.Equal(staying, Enumerable.Range(1, 3).Count(page => machine.Look((ulong)page).Kind == PageEntryKind.DevicePrivate));
    }

    [Fact]
    public void SharedAnonymous_LastMappingGone_FreesItsPages()
    {
        using ReferenceMachine machine = new();
        machine.Space.Map(ReferenceMachine.Pages(0, 4), Protection.ReadWrite, MappingKind.SharedAnonymous, FileId.None, 0);
        machine.Space.CpuWrite(ReferenceMachine.Pages(0, 4), 5, 1, default);
        using (IAddressSpace child = machine.Space.Fork())
        {
            machine.Space.Unmap(ReferenceMachine.Pages(0, 4));
            Assert.Equal(60ul, machine.Memory.FreeSystemFrameCount);
            ulong[] tags = new ulong[4];
            Assert.Equal(CpuAccessResult.Ok, child.CpuRead(ReferenceMachine.Pages(0, 4), tags, default));
            Assert.Equal([5ul, 6, 7, 8], tags);
        }

        Assert.Equal(64ul, machine.Memory.FreeSystemFrameCount);
    }

    [Fact]
    public void DiskFile_FirstTouchByTheCpu_MapsWhatWasReadAround()
    {
        using ReferenceMachine machine = new();
        FileId file = machine.Memory.CreateFile(new FileOptions { Kind = FileKind.Disk, PageCount = 40 });
        machine.Space.Map(ReferenceMachine.Pages(0, 40), Protection.Read, MappingKind.SharedFile, file, 0);
        Assert.Equal(CpuAccessResult.Ok, machine.Read(2, out _));

        // Pages 0 to 31 were read; the window's 16 are mapped. Page 24 carries the mark.
        Assert.Equal(32ul, machine.Memory.FreeSystemFrameCount);
        Assert.Equal(PageEntryKind.Present, machine.Look(15).Kind);
        Assert.Equal(PageEntryKind.None, machine.Look(16).Kind);
        machine.Read(20, out _);
        Assert.Equal(PageEntryKind.None, machine.Look(24).Kind);
        Assert.Equal(PageEntryKind.Present, machine.Look(31).Kind);
        Assert.Equal(32ul, machine.Memory.FreeSystemFrameCount);
        machine.Read(24, out _);
        Assert.Equal(24ul, machine.Memory.FreeSystemFrameCount);
    }

    [Fact]
    public void DiskFile_FirstFaultForADevice_MapsThatPageAlone()
    {
        using ReferenceMachine machine = new();
        FileId file = machine.Memory.CreateFile(new FileOptions { Kind = FileKind.Disk, PageCount = 8 });
        machine.Space.Map(ReferenceMachine.Pages(0, 8), Protection.Read, MappingKind.SharedFile, file, 0);
        Assert.Equal(HmmStatus.Ok, machine.Fault(2, 1, HmmRequestFlags.Fault, default, FaultHabit.RunForward, out _));
        Assert.Equal(56ul, machine.Memory.FreeSystemFrameCount);
        Assert.Equal(PageEntryKind.Present, machine.Look(2).Kind);
        Assert.Equal(PageEntryKind.None, machine.Look(3).Kind);
    }

    [Fact]
    public void Content_Untracked_SplitsKeepEveryPage()
    {
        using HmmFast.Reference.ReferenceMemorySystem memory = new(new MemorySystemOptions { SystemFrameCount = 2048, Window = new VpnRange(new Vpn(0), 4096) });
        IAddressSpace space = memory.CreateAddressSpace();
        VpnRange block = new(new Vpn(512), 512);
        space.Map(block, Protection.ReadWrite, MappingKind.PrivateAnonymous, FileId.None, 0);
        space.Advise(block, Advice.HugePage);
        space.CpuWrite(new VpnRange(new Vpn(512), 1), 1, 0, default);
        space.MigrateVmaSetup(new MigrateVma(new VpnRange(new Vpn(513), 1), MigrateVmaFlags.SelectDevicePrivate, ReferenceMachine.Owner));
        PageObservation[] seen = new PageObservation[512];
        space.Observe(block, seen);
        Assert.DoesNotContain(seen, static page => page.IsZeroPage || page.IsHugeMapped || page.Kind != PageEntryKind.Present);
        Assert.Throws<InvalidOperationException>(() => memory.ReadContent(seen[0].Frame));
    }
}
