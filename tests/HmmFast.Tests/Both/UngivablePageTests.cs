using HmmFast.Faulting;

namespace HmmFast.Tests.Both;

/// <summary>Pages that HMM can never give: those whose memory failed, and those without struct page.</summary>
public sealed class UngivablePageTests
{
    private const HmmRequestFlags Read = HmmRequestFlags.Fault;
    private const HmmRequestFlags Write = HmmRequestFlags.Fault | HmmRequestFlags.Write;

    private static readonly Pfn Bar = new(0x5000_0000);

    public static TheoryData<string> All => Machine.All;

    [Theory]
    [MemberData(nameof(All))]
    public void Poison_PresentPage_IsNothingUnaskedAndFaultAsked(string implementation)
    {
        using Machine machine = Poisoned(implementation);
        Assert.Equal("W0W", machine.Snapshot(0, 3));
        Assert.Equal(HmmStatus.Fault, machine.Fault(0, 3, Read, out HmmPfn[] words));
        Assert.True(machine.Memory.Options.Layout.IsValid(words[0]));
        Assert.Equal([1ul, 2ul], words[1..].Select(word => word.Raw));
        Assert.Equal(CpuAccessResult.SigBus, machine.Read(1, out _));
        Assert.Equal(CpuAccessResult.SigBus, machine.Space.CpuWrite(Machine.Pages(1), 9, 0, default));
        Assert.Equal(PageEntryKind.Marker, machine.Look(1).Kind);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Poison_FaultThatRunsForwardOverIt_FailsWithWhatIsInFrontFaulted(string implementation)
    {
        using Machine machine = new(implementation);
        machine.Map(0, 4);
        machine.Write(2, 1, 5);
        machine.Space.Poison(new Vpn(Machine.Base + 2));
        Assert.Equal(HmmStatus.Fault, machine.Fault(0, 4, Write, out HmmPfn[] words));
        Assert.Equal([0ul, 1, 2, 3], words.Select(word => word.Raw));
        Assert.Equal("WW00", machine.Snapshot(0, 4));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Poison_Frame_IsNeverUsedAgain(string implementation)
    {
        using Machine machine = Poisoned(implementation);
        ulong free = machine.Memory.FreeSystemFrameCount;
        machine.Space.Advise(Machine.Pages(1), Advice.DontNeed);
        Assert.Equal(free, machine.Memory.FreeSystemFrameCount);
        Assert.Equal(CpuAccessResult.Ok, machine.Read(1, out ulong tag));
        Assert.Equal(0ul, tag);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Poison_SharedPage_FailsForBothAndForkCopiesTheMarker(string implementation)
    {
        using Machine machine = new(implementation);
        machine.Map(0, 1);
        machine.Write(0, 1, 5);
        IAddressSpace child = machine.Space.Fork();
        Assert.Equal(HmmStatus.Ok, child.Poison(new Vpn(Machine.Base)));
        Assert.Equal(CpuAccessResult.SigBus, machine.Read(0, out _));
        Assert.Equal(CpuAccessResult.SigBus, machine.Read(0, out _, child));
        Assert.Equal(CpuAccessResult.SigBus, machine.Read(0, out _, machine.Space.Fork()));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Poison_Marker_IsSkippedByMigrationKeptByProtectAndTakenByFree(string implementation)
    {
        using Machine machine = Poisoned(implementation);
        MigrateVma migration = machine.Begin(0, 3);
        Assert.Equal(2ul, migration.CollectedPageCount);
        Assert.False(migration.Source[1].IsMigrating);
        machine.Finish(migration);
        machine.Space.Protect(Machine.Pages(0, 3), Protection.Read);
        Assert.Equal("R0R", machine.Snapshot(0, 3));
        Assert.Equal(HmmStatus.Ok, machine.Space.Remap(Machine.Pages(0, 3), new Vpn(Machine.Base + 8)));
        Assert.Equal(PageEntryKind.Marker, machine.Look(9).Kind);
        Assert.Equal(HmmStatus.Ok, machine.Space.Advise(Machine.Pages(9), Advice.Free));
        Assert.Equal(PageEntryKind.None, machine.Look(9).Kind);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Poison_PageOfA2MiBEntry_SplitsIt(string implementation)
    {
        using Machine machine = new(implementation);
        machine.Map(0, 512);
        machine.Space.Advise(Machine.Pages(0, 512), Advice.HugePage);
        machine.Write(0, 512, 5);
        Assert.True(machine.Look(0).IsHugeMapped);
        Assert.Equal(HmmStatus.Ok, machine.Space.Poison(new Vpn(Machine.Base + 7)));
        Assert.Equal(PageEntryKind.Marker, machine.Look(7).Kind);
        Assert.False(machine.Look(8).IsHugeMapped);
        Assert.Equal(CpuAccessResult.Ok, machine.Read(8, out ulong tag));
        Assert.Equal(13ul, tag);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Poison_WhatIsNoOrdinaryPage_IsInvalidOrBusy(string implementation)
    {
        using Machine machine = new(implementation);
        machine.Map(0, 4);
        Assert.Equal(HmmStatus.Invalid, machine.Space.Poison(new Vpn(Machine.Base)));
        machine.Read(0, out _);
        Assert.Equal(HmmStatus.Invalid, machine.Space.Poison(new Vpn(Machine.Base)));
        Assert.Equal(HmmStatus.Invalid, machine.Space.Poison(new Vpn(Machine.Base + 600)));
        machine.Write(0, 1, 5);
        machine.Memory.Pin(machine.Look(0).Frame);
        Assert.Equal(HmmStatus.Busy, machine.Space.Poison(new Vpn(Machine.Base)));
        machine.Memory.Unpin(machine.Look(0).Frame);
        Pfn frame = machine.Look(0).Frame;
        Assert.Equal(HmmStatus.Ok, machine.Space.Poison(new Vpn(Machine.Base)));
        Assert.Throws<InvalidOperationException>(() => machine.Memory.ReleasePage(frame));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void InsertMixed_Unasked_IsErrorAndAskedIsFault(string implementation)
    {
        using Machine machine = Mixed(implementation);
        Assert.Equal("REER", machine.Snapshot(0, 4));
        Assert.Equal(HmmStatus.Fault, machine.Fault(0, 4, Read, out HmmPfn[] words));
        Assert.True(machine.Memory.Options.Layout.IsValid(words[0]));
        Assert.Equal([1ul, 2, 3], words[1..].Select(word => word.Raw));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void InsertMixed_AskedForWrite_IsCopied(string implementation)
    {
        // A fault gives more here: the private mapping's copy has a struct page.
        using Machine machine = Mixed(implementation);
        HmmStatus status = machine.Fault(1, 1, Write, out _);
        Assert.Equal(HmmStatus.Busy, status);
        Assert.Equal("RWER", machine.Snapshot(0, 4));
        machine.Space.Protect(Machine.Pages(0, 4), Protection.Read);
        Assert.Equal(HmmStatus.NotPermitted, machine.Fault(2, 1, Write, out _));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void InsertMixed_Cpu_ReadsZeroAndWritesACopy(string implementation)
    {
        using Machine machine = Mixed(implementation);
        Assert.Equal(CpuAccessResult.Ok, machine.Read(1, out ulong tag));
        Assert.Equal(0ul, tag);
        machine.Write(1, 1, 9);
        Assert.Equal(CpuAccessResult.Ok, machine.Read(1, out tag));
        Assert.Equal(9ul, tag);
        Assert.False(machine.Look(1).IsSpecial);
        Assert.Equal(new Pfn(Bar.Value + 1), machine.Look(2).Frame);
        Assert.True(machine.Look(2, machine.Space.Fork()).IsSpecial);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void InsertMixed_OtherCalls_LeaveOrRefuseIt(string implementation)
    {
        using Machine machine = Mixed(implementation);
        Assert.Equal(HmmStatus.Invalid, machine.Space.MigrateVmaSetup(new MigrateVma(Machine.Pages(0, 4), MigrateVmaFlags.SelectSystem, Machine.Owner)));
        Assert.Equal(HmmStatus.Invalid, machine.Space.Poison(new Vpn(Machine.Base + 1)));
        machine.Space.Advise(Machine.Pages(0, 4), Advice.PageOut);
        Assert.Equal("REER", machine.Snapshot(0, 4));
        machine.Space.Advise(Machine.Pages(1), Advice.DontNeed);
        Assert.Equal("R0ER", machine.Snapshot(0, 4));
        Assert.Equal(CpuAccessResult.SigBus, machine.Read(1, out _));
        Assert.Equal(HmmStatus.Ok, machine.Space.Unmap(Machine.Pages(0, 4)));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void InsertMixed_ElsewhereOrWithAFramesNumber_IsRefused(string implementation)
    {
        using Machine machine = Mixed(implementation);
        machine.Map(8, 2);
        Assert.Equal(HmmStatus.Invalid, machine.Space.InsertMixed(Machine.Pages(8), Bar));
        Assert.Equal(HmmStatus.Invalid, machine.Space.InsertMixed(Machine.Pages(3, 2), Bar));
        Assert.Equal(HmmStatus.Invalid, machine.Space.InsertMixed(Machine.Pages(0, 0), Bar));
        Assert.Throws<ArgumentOutOfRangeException>(() => machine.Space.InsertMixed(Machine.Pages(1), machine.Look(0).Frame));
        Assert.Throws<ArgumentOutOfRangeException>(() => machine.Space.InsertMixed(Machine.Pages(1), machine.Memory.DeviceFrames(machine.Device).First));
        Assert.Throws<ArgumentOutOfRangeException>(() => machine.Space.InsertMixed(Machine.Pages(1, 2), new Pfn(uint.MaxValue)));
    }

    [Fact]
    public void Columns_MarkerAndSpecial_AreCountedAndEndRuns()
    {
        using Machine machine = Mixed("engine");
        machine.Map(4, 2);
        machine.Write(4, 2, 5);
        machine.Space.Poison(new Vpn(Machine.Base + 5));
        var columns = (IColumnAddressSpace)machine.Space;
        using IMmuIntervalNotifier notifier = machine.Space.InsertNotifier(Machine.Pages(0, 6), null);
        var request = new HmmRange { Range = Machine.Pages(0, 6), Notifier = notifier, NotifierSequence = notifier.ReadBegin(), Owner = Machine.Owner };
        ulong[] work = new ulong[1];

        Assert.Equal(new HmmClassification { Valid = 3, Error = 2, Empty = 1 }, columns.Classify(request, work));
        Assert.Equal(new HmmClassification { Valid = 3, Special = 3 }, columns.Classify(request with { DefaultFlags = Read }, work));
        Assert.Equal(0b100110ul, work[0]);
        Assert.Equal(HmmStatus.Ok, columns.RangeFaultExtents(request, new uint[6], new HmmPfn[6], out int runs, out ulong covered));
        Assert.Equal((5, 6ul), (runs, covered));
        Assert.Equal(HmmStatus.Fault, columns.RangeFaultExtents(request with { DefaultFlags = Read }, new uint[6], new HmmPfn[6], out _, out covered));
        Assert.Equal(1ul, covered);
        Assert.Equal(HmmStatus.Fault, columns.RangeFaultBatch(request with { DefaultFlags = Read }, [Machine.Pages(4).Start, Machine.Pages(5).Start], new HmmPfn[2], out int answered));
        Assert.Equal(1, answered);
    }

    /// <summary>Three pages, the middle one poisoned.</summary>
    private static Machine Poisoned(string implementation)
    {
        var machine = new Machine(implementation);
        machine.Map(0, 3);
        machine.Write(0, 3, 5);
        Assert.Equal(HmmStatus.Ok, machine.Space.Poison(new Vpn(Machine.Base + 1)));
        return machine;
    }

    /// <summary>Four pages of a driver, the middle two without struct page.</summary>
    private static Machine Mixed(string implementation)
    {
        var machine = new Machine(implementation);
        machine.Map(0, 4, MappingKind.DriverMixed);
        machine.Space.Advise(Machine.Pages(1, 2), Advice.DontNeed);
        Assert.Equal(HmmStatus.Ok, machine.Space.InsertMixed(Machine.Pages(0, 4), new Pfn(Bar.Value - 1)));
        return machine;
    }
}
