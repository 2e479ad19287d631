namespace HmmFast.Tests.Both;

/// <summary>What others may do to pages between the steps of a migration, and what they see of them.</summary>
public sealed class MigrationInProgressTests
{
    public static TheoryData<string> All => Machine.All;

    [Theory]
    [MemberData(nameof(All))]
    public void RangeFault_MigrationInProgress_IsBusyWithTheInputKept(string implementation)
    {
        using Machine machine = new(implementation);
        machine.Map(0, 2);
        machine.Write(0, 2, 5);
        MigrateVma migration = machine.Begin(1, 1);
        Assert.Equal(HmmStatus.Busy, machine.Fault(0, 2, HmmRequestFlags.Fault, out HmmPfn[] words));
        Assert.True(machine.Memory.Options.Layout.IsValid(words[0]));
        Assert.Equal(1ul, words[1].Raw);
        Assert.Equal("W0", machine.Snapshot(0, 2));
        Assert.Equal(PageEntryKind.Migration, machine.Look(1).Kind);
        Assert.Throws<InvalidOperationException>(() => machine.Read(1, out _));
        machine.Finish(migration);
        Assert.Equal("WW", machine.Snapshot(0, 2));
        Assert.Equal(CpuAccessResult.Ok, machine.Read(1, out ulong tag));
        Assert.Equal(6ul, tag);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Unmap_MigrationInProgress_KeepsTheFrameUntilFinalize(string implementation)
    {
        using Machine machine = new(implementation);
        machine.Map(0, 2);
        machine.Write(0, 2, 5);
        ulong free = machine.Memory.FreeSystemFrameCount;
        MigrateVma migration = machine.Begin(0, 2);
        machine.Space.Unmap(Machine.Pages(0, 2));
        Assert.Equal(free, machine.Memory.FreeSystemFrameCount);
        machine.Finish(migration);
        Assert.Equal(free + 2, machine.Memory.FreeSystemFrameCount);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void MigrateVmaPages_PageDroppedMeanwhile_IsRefusedAndCanBeGivenUp(string implementation)
    {
        using Machine machine = new(implementation);
        machine.Map(0, 2);
        machine.Write(0, 2, 5);
        ulong free = machine.Memory.FreeSystemFrameCount;
        MigrateVma migration = machine.Begin(0, 2);
        machine.Space.Advise(Machine.Pages(1), Advice.DontNeed);
        machine.Give(migration);
        Assert.Throws<InvalidOperationException>(() => machine.Space.MigrateVmaPages(migration));
        machine.Memory.ReleasePage(migration.Destination[1].Pfn);
        migration.Destination[1] = MigratePfn.None;
        machine.Finish(migration);
        Assert.Equal(PageEntryKind.DevicePrivate, machine.Look(0).Kind);
        Assert.Equal(PageEntryKind.None, machine.Look(1).Kind);
        Assert.Equal(free + 2, machine.Memory.FreeSystemFrameCount);
        Assert.Equal(63ul, machine.Memory.FreeDevicePageCount(machine.Device));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void MigrateVmaPages_EmptyPageWithoutItsVma_IsRefused(string implementation)
    {
        using Machine machine = new(implementation);
        machine.Map(0, 2);
        MigrateVma migration = machine.Begin(0, 2);
        machine.Space.Unmap(Machine.Pages(0, 2));
        machine.Give(migration);
        Assert.Throws<InvalidOperationException>(() => machine.Space.MigrateVmaPages(migration));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Fork_MigrationInProgress_MovesThePageForBoth(string implementation)
    {
        using Machine machine = new(implementation);
        machine.Map(0, 1);
        machine.Write(0, 1, 5);
        MigrateVma migration = machine.Begin(0, 1);
        IAddressSpace child = machine.Space.Fork();
        Assert.Equal(PageEntryKind.Migration, machine.Look(0, child).Kind);
        machine.Give(migration);
        machine.Finish(migration);
        Assert.Equal(machine.Look(0).Frame, machine.Look(0, child).Frame);
        Assert.Equal("R", machine.Snapshot(0, 1));
        Assert.Equal("R", machine.Snapshot(0, 1, child));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Unmap_ForkedMeanwhile_LeavesThePageToTheChild(string implementation)
    {
        using Machine machine = new(implementation);
        machine.Map(0, 16);
        machine.Write(0, 16, 5);
        MigrateVma migration = machine.Begin(0, 16);
        IAddressSpace child = machine.Space.Fork();
        machine.Give(migration);
        machine.Space.MigrateVmaPages(migration);
        machine.Space.Advise(Machine.Pages(0, 16), Advice.DontNeed);
        machine.Space.MigrateVmaFinalize(migration);
        Assert.Equal(PageEntryKind.None, machine.Look(3).Kind);
        Assert.Equal(PageEntryKind.DevicePrivate, machine.Look(3, child).Kind);
        Assert.Equal(CpuAccessResult.Ok, machine.Read(3, out ulong tag, child));
        Assert.Equal(8ul, tag);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Protect_MigrationInProgress_TakesWritePermission(string implementation)
    {
        using Machine machine = new(implementation);
        machine.Map(0, 1);
        machine.Write(0, 1, 5);
        MigrateVma migration = machine.Begin(0, 1);
        machine.Space.Protect(Machine.Pages(0), Protection.Read);
        machine.Finish(migration);
        Assert.Equal("R", machine.Snapshot(0, 1));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void FilePage_MigrationInProgress_IsWaitedForByItsOtherMappings(string implementation)
    {
        using Machine machine = new(implementation);
        FileId file = machine.Memory.CreateFile(new FileOptions { Kind = FileKind.Memfd, PageCount = 4 });
        machine.Space.Map(Machine.Pages(0, 4), Protection.ReadWrite, MappingKind.SharedFile, file, 0);
        machine.Space.Map(Machine.Pages(8, 4), Protection.ReadWrite, MappingKind.SharedFile, file, 0);
        machine.Write(0, 4, 5);
        MigrateVma migration = machine.Begin(1, 1);
        Assert.Equal(HmmStatus.Busy, machine.Fault(9, 1, HmmRequestFlags.Fault, out _));
        Assert.Throws<InvalidOperationException>(() => machine.Read(9, out _));

        // Mapping along what is around a page leaves it out.
        Assert.Equal(CpuAccessResult.Ok, machine.Read(8, out _));
        Assert.Equal("W0WW", machine.Snapshot(8, 4));
        machine.Finish(migration);
        Assert.Equal(CpuAccessResult.Ok, machine.Read(9, out ulong tag));
        Assert.Equal(6ul, tag);
    }
}
