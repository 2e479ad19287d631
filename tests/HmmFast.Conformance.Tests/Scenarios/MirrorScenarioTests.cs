using HmmFast.Drivers.Mirror;
using static HmmFast.Conformance.Tests.Scenarios.ScenarioMachine;

namespace HmmFast.Conformance.Tests.Scenarios;

/// <summary>What the devices see, two devices on one buffer, and exclusive access; names after the kernel's own selftest.</summary>
public sealed class MirrorScenarioTests
{
    private const int N = 128;

    public static TheoryData<string, DeviceMemoryKind> All => ScenarioMachine.All;

    [Theory]
    [MemberData(nameof(All))]
    public void snapshot_PagesInEveryState_EachShowsItsByte(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = new(engine, kind);
        machine.Map(0, 8);
        Assert.Equal(HmmStatus.Ok, machine.Space.Unmap(Pages(0, 1)));
        machine.ExpectContent(2, 1, 0);
        machine.Write(3, 5, 103);
        Assert.Equal(HmmStatus.Ok, machine.Space.Protect(Pages(3, 1), Protection.Read));
        Migrate(machine.Device0, 5, 1, tag: 105);
        Migrate(machine.Device1, 6, 1, tag: 106);
        Assert.Equal(HmmStatus.Ok, machine.Space.Protect(Pages(7, 1), Protection.None));

        // Another device's private page looks like nothing; its coherent page is there for all.
        bool isPrivate = kind == DeviceMemoryKind.Private;
        MirrorProtection local = isPrivate ? MirrorProtection.PrivateLocal : MirrorProtection.CoherentLocal;
        MirrorProtection remote = isPrivate ? MirrorProtection.None : MirrorProtection.CoherentRemote | MirrorProtection.Write;
        ExpectSnapshot(
            machine.Device0,
            0,
            MirrorProtection.Error,
            MirrorProtection.None,
            MirrorProtection.ZeroPage | MirrorProtection.Read,
            MirrorProtection.Read,
            MirrorProtection.Write,
            local | MirrorProtection.Write,
            remote,
            MirrorProtection.Error);
        ExpectSnapshot(machine.Device1, 5, remote, local | MirrorProtection.Write);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void compound_HugePage_ShowsTheHugeBitUntilItIsCut(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = new(engine, kind);
        machine.Map(0, 512);
        Assert.Equal(HmmStatus.Ok, machine.Space.Advise(Pages(0, 512), Advice.HugePage));
        machine.Write(0, 512, 100);
        ExpectSnapshot(machine.Device0, 0, [.. Enumerable.Repeat(MirrorProtection.Huge | MirrorProtection.Write, 512)]);

        Assert.Equal(HmmStatus.Ok, machine.Space.Protect(Pages(0, 512), Protection.Read));
        ExpectSnapshot(machine.Device0, 0, [.. Enumerable.Repeat(MirrorProtection.Huge | MirrorProtection.Read, 512)]);
        Assert.Equal(HmmStatus.Ok, machine.Space.Protect(Pages(511, 1), Protection.ReadWrite));
        ExpectSnapshot(machine.Device0, 510, MirrorProtection.Read, MirrorProtection.Write);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void double_map_TwoDevicesOnOneBuffer_BothSeeItAndLoseIt(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = new(engine, kind);
        machine.Map(0, N);
        machine.Write(0, N, 100);
        ExpectDeviceContent(machine.Device0, 0, N, 100, rounds: 1);
        ExpectDeviceContent(machine.Device1, 0, N, 100, rounds: 1);

        // One device takes the pages: the other's mirror goes, and its next read brings private pages back.
        Migrate(machine.Device1, 0, N, tag: 100);
        Assert.Equal(0, machine.Device0.MirroredPageCount);
        ExpectDeviceContent(machine.Device0, 0, N, 100, rounds: 1);
        Assert.Equal(kind == DeviceMemoryKind.Coherent, machine.AreOn(machine.Device1, 0, N));
        Assert.Equal(kind == DeviceMemoryKind.Coherent ? N : 0, machine.Device1.MirroredPageCount);

        Assert.Equal(HmmStatus.Ok, DeviceWrite(machine.Device0, 0, N, 600).Status);
        ExpectDeviceContent(machine.Device1, 0, N, 600);
        machine.ExpectContent(0, N, 600);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void exclusive_CpuTouches_EndsItAndOnlyThere(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = new(engine, kind);
        machine.Map(0, N);
        machine.Write(0, N, 100);
        ulong[] tags = new ulong[N];
        Assert.Equal(new MirrorResult(HmmStatus.Ok, N, 0), machine.Device0.MakeExclusive(Address(0), N, tags));
        Assert.Equal(Tags(N, 100), tags);
        Assert.Equal(HmmStatus.NotPermitted, machine.Device0.CheckExclusive(Address(0), N).Status);
        Assert.All(machine.Observe(0, N), static page => Assert.Equal(PageEntryKind.DeviceExclusive, page.Kind));
        ExpectDeviceContent(machine.Device0, 0, N, 100, rounds: 0);

        machine.Write(0, N / 2, 700);
        Assert.Equal(HmmStatus.Ok, machine.Device0.CheckExclusive(Address(0), N / 2).Status);
        Assert.Equal(HmmStatus.NotPermitted, machine.Device0.CheckExclusive(Address(N / 2), N / 2).Status);
        ExpectDeviceContent(machine.Device0, 0, N / 2, 700);
        machine.ExpectContent(N / 2, N / 2, 100 + (N / 2));
        Assert.Equal(HmmStatus.Ok, machine.Device0.CheckExclusive(Address(0), N).Status);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void exclusive_mprotect_ProtectionTakenAway_TheMirrorGoesAndWritesFail(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = new(engine, kind);
        machine.Map(0, N);
        machine.Write(0, N, 100);
        Assert.Equal(HmmStatus.Ok, machine.Device0.MakeExclusive(Address(0), N, new ulong[N]).Status);
        Assert.Equal(HmmStatus.Ok, machine.Space.Protect(Pages(0, N), Protection.Read));
        Assert.Equal(0, machine.Device0.MirroredPageCount);
        Assert.Equal(HmmStatus.NotPermitted, DeviceWrite(machine.Device0, 0, N, 900).Status);
        machine.ExpectContent(0, N, 100);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void exclusive_cow_ForkWithExclusivePages_EndsItForBothAndPartsOnWrite(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = new(engine, kind);
        machine.Map(0, N);
        machine.Write(0, N, 100);
        Assert.Equal(HmmStatus.Ok, machine.Device0.MakeExclusive(Address(0), N, new ulong[N]).Status);
        using IAddressSpace child = machine.Space.Fork();
        Assert.All(machine.Observe(0, N), static page => Assert.Equal(PageEntryKind.Present, page.Kind));

        machine.Write(0, N, 700);
        Write(child, 0, N / 2, 300);
        machine.ExpectContent(0, N, 700);
        ExpectContent(child, 0, N / 2, 300);
        ExpectContent(child, N / 2, N / 2, 100 + (N / 2));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void exclusive_UnwritableMapping_IsRefusedAndNothingMirrored(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = new(engine, kind);
        machine.Map(0, 4);
        machine.Write(0, 4, 100);
        Assert.Equal(HmmStatus.Ok, machine.Space.Protect(Pages(3, 1), Protection.Read));
        Assert.Equal(HmmStatus.Busy, machine.Device0.MakeExclusive(Address(0), 4, new ulong[4]).Status);
        Assert.Equal(0, machine.Device0.MirroredPageCount);
        Assert.Equal(HmmStatus.Ok, machine.Device0.CheckExclusive(Address(0), 4).Status);

        // The pages in front became exclusive all the same; any touch ends that.
        Assert.Equal(
            [PageEntryKind.DeviceExclusive, PageEntryKind.DeviceExclusive, PageEntryKind.DeviceExclusive, PageEntryKind.Present],
            machine.Observe(0, 4).Select(static page => page.Kind));
        machine.ExpectContent(0, 4, 100);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void bad_arguments_EveryCommand_IsRefusedBeforeAnythingHappens(string engine, DeviceMemoryKind kind)
    {
        using ScenarioMachine machine = new(engine, kind);
        machine.Map(0, 4);
        MirrorDevice device = machine.Device0;
        (ulong Address, ulong Count)[] ranges = [(Address(0), 0), (Address(0) + 8, 1), (Address(0), ulong.MaxValue / 4096), (Address(0), ulong.MaxValue), (0, 1)];
        foreach ((ulong address, ulong count) in ranges)
        {
            Assert.Equal(MirrorResult.BadArguments, device.Read(address, count, new ulong[1]));
            Assert.Equal(MirrorResult.BadArguments, device.Write(address, count, new ulong[1]));
            Assert.Equal(MirrorResult.BadArguments, device.Snapshot(address, count, new MirrorProtection[1]));
            Assert.Equal(MirrorResult.BadArguments, device.MigrateToDevice(address, count, new ulong[1]));
            Assert.Equal(MirrorResult.BadArguments, device.MigrateToSystem(address, count));
            Assert.Equal(MirrorResult.BadArguments, device.MakeExclusive(address, count, new ulong[1]));
            Assert.Equal(MirrorResult.BadArguments, device.CheckExclusive(address, count));
        }

        Assert.All(machine.Observe(0, 4), static page => Assert.Equal(PageEntryKind.None, page.Kind));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void range_fault_OnlyAsked_SpareTheUnaskedPages(string engine, DeviceMemoryKind kind)
    {
        // The smallest example of the habit: page 0 is empty and asked for, pages 1 and 2 lie in the device's own memory and nobody asks for them.
        foreach (FaultHabit habit in (FaultHabit[])[FaultHabit.RunForward, FaultHabit.OnlyAsked])
        {
            using ScenarioMachine machine = new(engine, kind);
            machine.Map(0, 3);
            machine.Write(1, 2, 101);
            Migrate(machine.Device0, 1, 2, tag: 101);
            machine.Device0.FaultHabit = habit;
            HmmPfnLayout layout = HmmPfnLayout.Linux612;
            HmmPfn[] words = [new HmmPfn(layout.Encode(HmmRequestFlags.Fault)), default, default];
            MirrorRangeFaultResult result =
                machine.Device0.FaultRange(Pages(0, 3), HmmRequestFlags.None, HmmRequestFlags.All, machine.Device0.Owner, retryLimit: 8, keepWords: false, words);

            Assert.Equal(HmmStatus.Ok, result.Status);
            bool pulledBack = habit == FaultHabit.RunForward && kind == DeviceMemoryKind.Private;
            Assert.Equal(pulledBack ? 1 : 0, result.BusyCount);
            Assert.Equal(!pulledBack, machine.AreOn(machine.Device0, 1, 2));
            Assert.True(machine.Observe(0, 1)[0].IsZeroPage);
            Assert.All(words, word => Assert.True(layout.IsValid(word)));
        }
    }
}
