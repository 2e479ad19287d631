using HmmFast.Drivers.Mirror;
using static HmmFast.Conformance.Tests.Scenarios.ScenarioMachine;

namespace HmmFast.Conformance.Tests.Scenarios;

/// <summary>Reads and writes by the device in memory the CPU also uses; names after the kernel's own selftest.</summary>
/// <remarks>The selftest's anon_write_hugetlbfs has no counterpart: hugetlb pages come from a pool of their own, which is not modelled and not in the recordings.</remarks>
public sealed class AnonymousScenarioTests
{
    private const int N = 128;

    public static TheoryData<string, DeviceMemoryKind> All => ScenarioMachine.All;

    [Theory]
    [MemberData(nameof(All))]
    public void anon_read_DeviceReads_SeesWhatTheCpuWrote(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = new(engine, kind);
        machine.Map(0, N);
        machine.Write(2, N - 2, 100);
        machine.ExpectContent(1, 1, 0);

        // Page 0 was never touched, page 1 is the zero page; both read as zeroes.
        ExpectDeviceContent(machine.Device0, 0, 2, 0, rounds: 1);
        ExpectDeviceContent(machine.Device0, 2, N - 2, 100, rounds: 1);
        ExpectDeviceContent(machine.Device0, 0, 2, 0, rounds: 0);
        Assert.All(machine.Observe(0, 2), static page => Assert.True(page.IsZeroPage));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void anon_read_prot_MappingUnreadable_DeviceReadFailsUntilItIsReadableAgain(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = new(engine, kind);
        machine.Map(0, N);
        machine.Write(0, N, 100);
        ExpectDeviceContent(machine.Device0, 0, N, 100);

        Assert.Equal(HmmStatus.Ok, machine.Space.Protect(Pages(0, N), Protection.None));
        Assert.Equal(0, machine.Device0.MirroredPageCount);
        Assert.Equal(HmmStatus.Fault, machine.Device0.Read(Address(0), N, new ulong[N]).Status);
        Assert.Equal(HmmStatus.Ok, machine.Space.Protect(Pages(0, N), Protection.ReadWrite));
        ExpectDeviceContent(machine.Device0, 0, N, 100, rounds: 1);
        machine.ExpectContent(0, N, 100);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void anon_write_DeviceWrites_CpuSeesIt(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = new(engine, kind);
        machine.Map(0, N);
        MirrorResult result = DeviceWrite(machine.Device0, 0, N, 700);
        Assert.Equal(new MirrorResult(HmmStatus.Ok, N, 1), result);
        machine.ExpectContent(0, N, 700);
        Assert.Equal(new MirrorResult(HmmStatus.Ok, N, 0), DeviceWrite(machine.Device0, 0, N, 800));
        machine.ExpectContent(0, N, 800);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void anon_write_prot_MappingReadOnly_DeviceReadsButMayNotWrite(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = new(engine, kind);
        machine.Map(0, N);
        machine.Write(0, N, 100);
        Assert.Equal(HmmStatus.Ok, machine.Space.Protect(Pages(0, N), Protection.Read));
        ExpectDeviceContent(machine.Device0, 0, N, 100);

        Assert.Equal(new MirrorResult(HmmStatus.NotPermitted, 0, 0), DeviceWrite(machine.Device0, 0, N, 900));
        machine.ExpectContent(0, N, 100);
        Assert.Equal(HmmStatus.Ok, machine.Space.Protect(Pages(0, N), Protection.ReadWrite));
        Assert.Equal(HmmStatus.Ok, DeviceWrite(machine.Device0, 0, N, 900).Status);
        machine.ExpectContent(0, N, 900);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void anon_write_child_ChildsDeviceWrites_ParentKeepsItsOwn(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = new(engine, kind);
        machine.Map(0, N);
        machine.Write(0, N, 100);
        using IAddressSpace child = machine.Space.Fork();
        ExpectContent(child, 0, N, 100);

        using MirrorDevice childsDevice = new(machine.Memory, "child", 256, new OwnerId(3), kind);
        childsDevice.Attach(child);
        Assert.Equal(HmmStatus.Ok, DeviceWrite(childsDevice, 0, N, 500).Status);
        ExpectContent(child, 0, N, 500);
        machine.ExpectContent(0, N, 100);
        ExpectDeviceContent(machine.Device0, 0, N, 100);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void anon_write_child_shared_ChildsDeviceWrites_ParentSeesIt(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = new(engine, kind);
        machine.Map(0, N, kind: MappingKind.SharedAnonymous);
        machine.Write(0, N, 100);
        using IAddressSpace child = machine.Space.Fork();
        using MirrorDevice childsDevice = new(machine.Memory, "child", 256, new OwnerId(3), kind);
        childsDevice.Attach(child);

        Assert.Equal(HmmStatus.Ok, DeviceWrite(childsDevice, 0, N, 500).Status);
        ExpectContent(child, 0, N, 500);
        machine.ExpectContent(0, N, 500);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void anon_write_huge_DeviceWritesAnEmptyHugeArea_OneHugePageComes(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = new(engine, kind);
        machine.Map(0, 1024);
        Assert.Equal(HmmStatus.Ok, machine.Space.Advise(Pages(0, 1024), Advice.HugePage));
        Assert.Equal(new MirrorResult(HmmStatus.Ok, 512, 1), DeviceWrite(machine.Device0, 0, 512, 700));
        machine.ExpectContent(0, 512, 700);
        Assert.All(machine.Observe(0, 512), static page => Assert.True(page.IsHugeMapped && page.IsWritable));
        Assert.All(machine.Observe(512, 512), static page => Assert.Equal(PageEntryKind.None, page.Kind));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void anon_read_multiple_BuffersOneAfterTheOther_EachIsReadOnce(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = new(engine, kind);
        for (int round = 0; round < 8; round++)
        {
            machine.Map(round * N, N);
            machine.Write(round * N, N, (ulong)(1000 * (round + 1)));
            ExpectDeviceContent(machine.Device0, round * N, N, (ulong)(1000 * (round + 1)), rounds: 1);
        }

        Assert.Equal(8 * N, machine.Device0.MirroredPageCount);
        Assert.Equal(HmmStatus.Ok, machine.Space.Unmap(Pages(0, 8 * N)));
        Assert.Equal(0, machine.Device0.MirroredPageCount);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void anon_teardown_BufferUnmappedUnderTheDevice_MirrorIsEmptyAndReadFails(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = new(engine, kind);
        machine.Map(0, N);
        machine.Write(0, N, 100);
        ExpectDeviceContent(machine.Device0, 0, N, 100);
        Assert.Equal(HmmStatus.Ok, Migrate(machine.Device1, 0, N / 2, 100).Status);

        Assert.Equal(HmmStatus.Ok, machine.Space.Unmap(Pages(0, N)));
        Assert.Equal(0, machine.Device0.MirroredPageCount);
        Assert.Equal(0, machine.Device1.MirroredPageCount);
        Assert.Equal(HmmStatus.Fault, machine.Device0.Read(Address(0), N, new ulong[N]).Status);
        Assert.Equal(4096UL, machine.Memory.FreeDevicePageCount(machine.Device1.Id));
        Assert.Equal(16384UL, machine.Memory.FreeSystemFrameCount);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void file_read_DeviceReadsAMemfd_SeesTheFile(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = new(engine, kind);
        FileId file = machine.Memory.CreateFile(new FileOptions { Kind = FileKind.Memfd, PageCount = N, InitialTag = static page => 4000 + page });
        Assert.Equal(HmmStatus.Ok, machine.Space.Map(Pages(0, N), Protection.Read, MappingKind.SharedFile, file, 0));
        ExpectDeviceContent(machine.Device0, 0, N, 4000);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void file_write_DeviceWritesAMemfd_EveryMappingSeesIt(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = new(engine, kind);
        FileId file = machine.Memory.CreateFile(new FileOptions { Kind = FileKind.Memfd, PageCount = N });
        Assert.Equal(HmmStatus.Ok, machine.Space.Map(Pages(0, N), Protection.ReadWrite, MappingKind.SharedFile, file, 0));
        Assert.Equal(HmmStatus.Ok, machine.Space.Map(Pages(N, N), Protection.Read, MappingKind.PrivateFile, file, 0));
        Assert.Equal(HmmStatus.Ok, DeviceWrite(machine.Device0, 0, N, 700).Status);
        machine.ExpectContent(0, N, 700);
        machine.ExpectContent(N, N, 700);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void mixedmap_DriverPages_AreShownButNotMigrated(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = new(engine, kind);
        machine.Map(0, 4, kind: MappingKind.DriverMixed);
        ExpectSnapshot(machine.Device0, 0, MirrorProtection.Read, MirrorProtection.Read, MirrorProtection.Read, MirrorProtection.Read);
        Assert.Equal(HmmStatus.Invalid, Migrate(machine.Device0, 0, 4).Status);
    }
}
