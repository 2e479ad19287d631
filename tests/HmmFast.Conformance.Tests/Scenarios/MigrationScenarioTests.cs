using HmmFast.Drivers.Mirror;
using static HmmFast.Conformance.Tests.Scenarios.ScenarioMachine;

namespace HmmFast.Conformance.Tests.Scenarios;

/// <summary>Pages move to the device and come back; names after the kernel's own selftest.</summary>
public sealed class MigrationScenarioTests
{
    private const int N = 128;

    public static TheoryData<string, DeviceMemoryKind> All => ScenarioMachine.All;

    [Theory]
    [MemberData(nameof(All))]
    public void migrate_WrittenBuffer_MovesWithItsContent(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = new(engine, kind);
        machine.Map(0, N);
        machine.Write(0, N, 100);
        Migrate(machine.Device0, 0, N, tag: 100);
        Assert.True(machine.AreOn(machine.Device0, 0, N));
        Assert.Equal(4096UL - N, machine.Memory.FreeDevicePageCount(machine.Device0.Id));
        ExpectDeviceContent(machine.Device0, 0, N, 100, rounds: 0);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void migrate_fault_CpuTouchesWhatMoved_PrivatePagesComeBackCoherentOnesStay(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = new(engine, kind);
        machine.Map(0, N);
        machine.Write(0, N, 100);
        for (int round = 0; round < 2; round++)
        {
            Migrate(machine.Device0, 0, N, tag: 100);
            machine.ExpectContent(0, N, 100);
            Assert.Equal(kind == DeviceMemoryKind.Coherent, machine.AreOn(machine.Device0, 0, N));
            Assert.Equal(kind == DeviceMemoryKind.Private, machine.AreInSystem(0, N));
        }

        Migrate(machine.Device0, 0, N, tag: 100);
        Assert.Equal(new MirrorResult(HmmStatus.Ok, N, 0), machine.Device0.MigrateToSystem(Address(0), N));
        Assert.True(machine.AreInSystem(0, N));
        machine.ExpectContent(0, N, 100);
        Assert.Equal(4096UL, machine.Memory.FreeDevicePageCount(machine.Device0.Id));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void migrate_release_DeviceClosedWithPagesOnIt_CpuStillReadsThem(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = new(engine, kind);
        machine.Map(0, N);
        machine.Write(0, N, 100);
        Migrate(machine.Device0, 0, N, tag: 100);
        machine.Device0.Dispose();
        machine.ExpectContent(0, N, 100);
        machine.Write(0, N, 300);
        ExpectDeviceContent(machine.Device1, 0, N, 300);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void migrate_shared_SharedAnonymousMemory_DoesNotMove(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = new(engine, kind);
        machine.Map(0, N, kind: MappingKind.SharedAnonymous);
        machine.Write(0, N, 100);
        Assert.Equal(HmmStatus.NoEntry, Migrate(machine.Device0, 0, N).Status);
        Assert.True(machine.AreInSystem(0, N));
        machine.ExpectContent(0, N, 100);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void migrate_multiple_BuffersOneAfterTheOther_EachMovesAndComesBack(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = new(engine, kind);
        for (int round = 0; round < 16; round++)
        {
            machine.Map(0, N);
            machine.Write(0, N, 100);
            Migrate(machine.Device0, 0, N, tag: 100);
            machine.ExpectContent(0, N, 100);
            Assert.Equal(HmmStatus.Ok, machine.Space.Unmap(Pages(0, N)));
        }

        Assert.Equal(4096UL, machine.Memory.FreeDevicePageCount(machine.Device0.Id));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void migrate_mixed_HolesReadOnlyZeroAndForeignPages_EachAsItsStateSays(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = new(engine, kind);
        machine.Map(0, 6);
        machine.Write(2, 4, 102);
        Assert.Equal(HmmStatus.Ok, machine.Space.Protect(Pages(0, 1), Protection.None));
        Assert.Equal(HmmStatus.Ok, machine.Space.Protect(Pages(3, 1), Protection.Read));

        // An unreadable page ends it at once, before anything behind it is looked at.
        Assert.Equal(HmmStatus.Invalid, Migrate(machine.Device1, 0, 6).Status);
        Assert.True(machine.AreInSystem(2, 4));

        // Empty, written and read-only pages move; the entry keeps its write permission or lack of it.
        Assert.Equal(HmmStatus.Ok, Migrate(machine.Device1, 1, 5).Status);
        Assert.True(machine.AreOn(machine.Device1, 1, 5));
        Assert.Equal([true, true, false, true, true], machine.Observe(1, 5).Select(static page => page.IsWritable));

        // The other device cannot take them over: they are not system pages.
        Assert.Equal(HmmStatus.NoEntry, Migrate(machine.Device0, 1, 5).Status);
        Assert.True(machine.AreOn(machine.Device1, 1, 5));
        machine.ExpectContent(2, 4, 102);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void migrate_pinned_PageWithAReferenceBeyondItsMappings_Stays(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = new(engine, kind);
        machine.Map(0, 3);
        machine.Write(0, 3, 100);
        Pfn pinned = machine.Observe(1, 1)[0].Frame;
        machine.Memory.Pin(pinned);
        Assert.Equal(HmmStatus.NoEntry, Migrate(machine.Device0, 0, 3).Status);
        Assert.True(machine.AreOn(machine.Device0, 0, 1));
        Assert.True(machine.AreOn(machine.Device0, 2, 1));
        Assert.Equal(pinned, machine.Observe(1, 1)[0].Frame);

        machine.Memory.Unpin(pinned);
        Assert.Equal(HmmStatus.Ok, Migrate(machine.Device0, 1, 1, tag: 101).Status);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void cow_in_device_ForkWithPagesOnTheDevice_WritesPartParentAndChild(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = new(engine, kind);
        machine.Map(0, N);
        machine.Write(0, N, 100);
        Migrate(machine.Device0, 0, N, tag: 100);
        using IAddressSpace child = machine.Space.Fork();

        Write(child, 0, N / 2, 500);
        machine.Write(N / 2, N / 2, 900);
        machine.ExpectContent(0, N / 2, 100);
        machine.ExpectContent(N / 2, N / 2, 900);
        ExpectContent(child, 0, N / 2, 500);
        ExpectContent(child, N / 2, N / 2, 100 + (N / 2));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void migrate_anon_huge_empty_UntouchedHugeArea_BecomesZeroedSmallDevicePages(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = HugeArea(engine, kind);
        Migrate(machine.Device0, 0, 512, tag: 0);
        Assert.True(machine.AreOn(machine.Device0, 0, 512));
        Assert.All(machine.Observe(0, 512), static page => Assert.False(page.IsHugeMapped));
        machine.ExpectContent(0, 512, 0);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void migrate_anon_huge_zero_HugeZeroPage_BecomesZeroedDevicePages(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = HugeArea(engine, kind);
        machine.ExpectContent(0, 1, 0);
        Assert.All(machine.Observe(0, 512), static page => Assert.True(page.IsZeroPage && page.IsHugeMapped));
        Migrate(machine.Device0, 0, 512, tag: 0);
        Assert.True(machine.AreOn(machine.Device0, 0, 512));
        machine.Write(0, 512, 100);
        machine.ExpectContent(0, 512, 100);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void migrate_anon_huge_free_PartGivenUpAfterwards_ReadsAsZeroes(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = HugeArea(engine, kind);
        machine.Write(0, 512, 100);
        Migrate(machine.Device0, 0, 512, tag: 100);
        Assert.Equal(HmmStatus.Ok, machine.Space.Advise(Pages(0, 512), Advice.DontNeed));
        Assert.Equal(4096UL, machine.Memory.FreeDevicePageCount(machine.Device0.Id));
        machine.ExpectContent(0, 512, 0);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void migrate_anon_huge_fault_HugePageMoved_ComesBackWithItsContent(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = HugeArea(engine, kind);
        machine.Write(0, 512, 100);
        Assert.True(machine.Observe(0, 1)[0].IsHugeMapped);
        Migrate(machine.Device0, 0, 512, tag: 100);
        machine.ExpectContent(0, 512, 100);
        Assert.Equal(kind == DeviceMemoryKind.Private, machine.AreInSystem(0, 512));
    }

    private static ScenarioMachine HugeArea(string engine, DeviceMemoryKind kind)
    {
        ScenarioMachine machine = new(engine, kind);
        machine.Map(0, 512);
        Assert.Equal(HmmStatus.Ok, machine.Space.Advise(Pages(0, 512), Advice.HugePage));
        return machine;
    }
}
