using HmmFast.Reference;

namespace HmmFast.Tests.Engine;

/// <summary>Misuse throws before anything is written, and says the value and the bound: in the engine and in the reference alike.</summary>
public sealed class MisuseTests
{
    private static readonly VpnRange Window = new(new Vpn(EngineWorld.First), 8192);

    public static TheoryData<bool> Implementations => [false, true];

    [Theory]
    [MemberData(nameof(Implementations))]
    public void Calls_OutsideTheWindow_ThrowWithRangeAndWindow(bool isReference)
    {
        using IMemorySystem memory = Make(isReference);
        IAddressSpace space = memory.CreateAddressSpace();
        foreach (VpnRange outside in (VpnRange[])[new(Window.Start, 8193), VpnRange.FromBounds(new Vpn(EngineWorld.First - 1), new Vpn(EngineWorld.First + 1)), new(Window.End, 1), new(default, VpnRange.LimitVpn)])
        {
            Action[] calls =
            [
                () => space.Map(outside, Protection.Read, MappingKind.PrivateAnonymous, FileId.None, 0),
                () => space.Unmap(outside),
                () => space.Protect(outside, Protection.Read),
                () => space.Advise(outside, Advice.DontNeed),
                () => space.CpuRead(outside, default, default),
                () => space.CpuWrite(outside, 1, 1, default),
                () => space.Observe(outside, new PageObservation[2]),
                () => space.MakeDeviceExclusive(outside, EngineWorld.Owner0, new Pfn[2], out _),
                () => space.Remap(outside, Window.Start),
            ];
            foreach (Action call in calls)
            {
                string message = Assert.Throws<ArgumentOutOfRangeException>(call).Message;
                Assert.Contains(outside.ToString(), message, StringComparison.Ordinal);
                Assert.Contains($"window {Window}", message, StringComparison.Ordinal);
            }
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => space.Remap(EngineWorld.Pages(0, 2), new Vpn(EngineWorld.First + 8191)));
        Assert.Empty(space.Vmas);
    }

    [Theory]
    [MemberData(nameof(Implementations))]
    public void Buffers_OfAnotherLength_ThrowWithBothLengthsAndNothingIsTouched(bool isReference)
    {
        using IMemorySystem memory = Make(isReference);
        IAddressSpace space = memory.CreateAddressSpace();
        VpnRange range = EngineWorld.Pages(0, 8);
        Assert.Equal(HmmStatus.Ok, space.Map(range, Protection.ReadWrite, MappingKind.PrivateAnonymous, FileId.None, 0));
        ulong free = memory.FreeSystemFrameCount;
        foreach (int length in (int[])[1, 7, 9])
        {
            (string Buffer, Action Call)[] calls =
            [
                ("tags", () => space.CpuRead(range, new ulong[length], default)),
                ("results", () => space.CpuRead(range, default, new CpuAccessResult[length])),
                ("results", () => space.CpuRead(range, new ulong[8], new CpuAccessResult[length])),
                ("results", () => space.CpuWrite(range, 1, 1, new CpuAccessResult[length])),
                ("pages", () => space.Observe(range, new PageObservation[length])),
                ("pages", () => space.MakeDeviceExclusive(range, EngineWorld.Owner0, new Pfn[length], out _)),
            ];
            foreach ((string buffer, Action call) in calls)
            {
                ArgumentException thrown = Assert.Throws<ArgumentException>(call);
                Assert.Equal(buffer, thrown.ParamName);
                Assert.Contains($"{buffer} has {length} entries for the 8 pages of {range}.", thrown.Message, StringComparison.Ordinal);
            }
        }

        Assert.Throws<ArgumentException>(() => space.Observe(range, default));
        Assert.Throws<ArgumentException>(() => space.MakeDeviceExclusive(range, EngineWorld.Owner0, default, out _));
        Assert.Equal(free, memory.FreeSystemFrameCount);
        var pages = new PageObservation[8];
        space.Observe(range, pages);
        Assert.All(pages, page => Assert.Equal(PageEntryKind.None, page.Kind));
    }

    [Theory]
    [MemberData(nameof(Implementations))]
    public void RangeFault_WrongArrayOrNotifier_ThrowsAndWritesNothing(bool isReference)
    {
        using IMemorySystem memory = Make(isReference);
        IAddressSpace space = memory.CreateAddressSpace();
        VpnRange range = EngineWorld.Pages(0, 8);
        Assert.Equal(HmmStatus.Ok, space.Map(range, Protection.ReadWrite, MappingKind.PrivateAnonymous, FileId.None, 0));
        using IMmuIntervalNotifier notifier = space.InsertNotifier(range, null);
        using IAddressSpace other = memory.CreateAddressSpace();
        using IMmuIntervalNotifier foreign = other.InsertNotifier(range, null);
        using IMmuIntervalNotifier small = space.InsertNotifier(EngineWorld.Pages(0, 7), null);
        IMmuIntervalNotifier removed = space.InsertNotifier(range, null);
        removed.Dispose();
        HmmRange With(IMmuIntervalNotifier watched) => new()
        {
            Range = range,
            Notifier = watched,
            NotifierSequence = 1,
            DefaultFlags = HmmRequestFlags.Fault | HmmRequestFlags.Write,
        };
        Assert.Contains("7 entries for the 8 pages", Assert.Throws<ArgumentException>(() => space.RangeFault(With(notifier), new HmmPfn[7])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => space.RangeFault(With(notifier), new HmmPfn[9]));
        Assert.Throws<ArgumentException>(() => space.RangeFault(With(notifier), default));
        Assert.Throws<ArgumentException>(() => space.RangeFault(With(foreign), new HmmPfn[8]));
        Assert.Throws<ArgumentException>(() => space.RangeFault(With(small), new HmmPfn[8]));
        Assert.Throws<ArgumentException>(() => space.RangeFault(With(removed), new HmmPfn[8]));
        Assert.Throws<ArgumentException>(() => space.InsertNotifier(EngineWorld.Pages(0, 0), null));
        Assert.Equal(0UL, memory.Counters.RangeFaultCalls);
        var page = new PageObservation[1];
        space.Observe(EngineWorld.Pages(0, 1), page);
        Assert.Equal(PageEntryKind.None, page[0].Kind);
    }

    [Theory]
    [MemberData(nameof(Implementations))]
    public void AddressSpace_AfterExit_Throws(bool isReference)
    {
        using IMemorySystem memory = Make(isReference);
        IAddressSpace gone = memory.CreateAddressSpace();
        VpnRange range = EngineWorld.Pages(0, 1);
        IMmuIntervalNotifier notifier = gone.InsertNotifier(range, null);
        gone.Dispose();
        gone.Dispose();
        Action[] calls =
        [
            () => gone.Map(range, Protection.Read, MappingKind.PrivateAnonymous, FileId.None, 0),
            () => gone.Unmap(range),
            () => gone.Protect(range, Protection.Read),
            () => gone.Advise(range, Advice.DontNeed),
            () => gone.Remap(range, Window.Start + 8),
            () => gone.Fork(),
            () => gone.ClearSoftDirty(),
            () => gone.CpuRead(range, default, default),
            () => gone.CpuWrite(range, 1, 1, default),
            () => gone.Observe(range, new PageObservation[1]),
            () => gone.MakeDeviceExclusive(range, EngineWorld.Owner0, new Pfn[1], out _),
            () => gone.InsertNotifier(range, null),
            () => _ = gone.Vmas,
            () => gone.RangeFault(new HmmRange { Range = range, Notifier = notifier, NotifierSequence = 1 }, new HmmPfn[1]),
            () => notifier.ReadBegin(),
            () => notifier.ReadRetry(1),
        ];
        Assert.All(calls, call => Assert.Throws<ObjectDisposedException>(call));
        notifier.Dispose();
    }

    [Theory]
    [MemberData(nameof(Implementations))]
    public void Notifier_AfterDispose_Throws(bool isReference)
    {
        using IMemorySystem memory = Make(isReference);
        IAddressSpace space = memory.CreateAddressSpace();
        IMmuIntervalNotifier notifier = space.InsertNotifier(EngineWorld.Pages(0, 1), null);
        ulong sequence = notifier.ReadBegin();
        Assert.False(notifier.ReadRetry(sequence));
        notifier.Dispose();
        notifier.Dispose();
        Assert.Throws<ObjectDisposedException>(() => notifier.ReadBegin());
        Assert.Throws<ObjectDisposedException>(() => notifier.ReadRetry(sequence));
    }

    [Theory]
    [MemberData(nameof(Implementations))]
    public void MemorySystem_AfterDispose_Throws(bool isReference)
    {
        IMemorySystem memory = Make(isReference);
        DeviceId device = memory.AddDevice(new DeviceOptions { Name = "far", PageCount = 8, Owner = EngineWorld.Owner0 });
        IAddressSpace space = memory.CreateAddressSpace();
        memory.Dispose();
        memory.Dispose();
        (memory as MemorySystem)?.Ledger.ThrowIfUnbalanced();
        Action[] calls =
        [
            () => memory.CreateAddressSpace(),
            () => memory.AddDevice(new DeviceOptions { Name = "x", PageCount = 1, Owner = EngineWorld.Owner0 }),
            () => memory.CreateFile(new FileOptions { Kind = FileKind.Memfd, PageCount = 1 }),
            () => memory.TryAllocateSystemPage(out _),
            () => memory.TryAllocateDevicePage(device, out _),
            () => memory.OwnerOf(device),
            () => _ = memory.FreeSystemFrameCount,
            () => _ = memory.AddressSpaces,
            () => _ = space.Vmas,
        ];
        Assert.All(calls, call => Assert.Throws<ObjectDisposedException>(call));
        space.Dispose();
    }

    [Theory]
    [MemberData(nameof(Implementations))]
    public void Frames_NotInUseOrNotThere_AreRefused(bool isReference)
    {
        using IMemorySystem memory = Make(isReference, systemFrames: 100);
        Assert.Contains("0x5", Assert.Throws<InvalidOperationException>(() => memory.ReleasePage(new Pfn(5))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.ReleasePage(new Pfn(1UL << 40)));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.ObserveFrame(new Pfn(1UL << 40)));
        Assert.Throws<InvalidOperationException>(() => memory.Pin(new Pfn(5)));
        Assert.Throws<InvalidOperationException>(() => memory.Unpin(new Pfn(5)));
        Assert.Throws<InvalidOperationException>(() => memory.WriteContent(new Pfn(0), 1));
        Assert.Contains("7", Assert.Throws<ArgumentOutOfRangeException>(() => memory.OwnerOf(new DeviceId(7))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => memory.AddDevice(new DeviceOptions { Name = "x", PageCount = 1, Owner = OwnerId.Null }));
        Assert.Throws<ArgumentException>(() => memory.AddDevice(new DeviceOptions { Name = "x", PageCount = 0, Owner = EngineWorld.Owner0 }));
        Assert.Throws<ArgumentException>(() => memory.AddDevice(new DeviceOptions { Name = "x", PageCount = 1UL << 33, Owner = EngineWorld.Owner0 }));
        Assert.Equal(0, memory.DeviceCount);
    }

    [Theory]
    [MemberData(nameof(Implementations))]
    public void MemorySystem_SizesWithoutRoom_AreRefused(bool isReference)
    {
        foreach ((MemorySystemOptions options, string value) in ((MemorySystemOptions, string)[])
            [
                (new() { SystemFrameCount = 1UL << 33 }, "8589934592"),
                (new() { SystemFrameCount = 0 }, "0"),
                (new() { SwapSlotCount = 1UL << 40 }, "1099511627776"),
            ])
        {
            ArgumentOutOfRangeException thrown = Assert.Throws<ArgumentOutOfRangeException>(() => Make(isReference, options));
            Assert.Contains(value, thrown.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void MemorySystem_WindowThatNoColumnsCanHold_IsRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new MemorySystem(new MemorySystemOptions { Window = new VpnRange(new Vpn(0), 0) }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new MemorySystem(new MemorySystemOptions { Window = new VpnRange(new Vpn(0), 1UL << 32) }));
    }

    [Theory]
    [MemberData(nameof(Implementations))]
    public void MigrateVmaSetup_RangePastItsVma_IsInvalidAsInTheKernel(bool isReference)
    {
        using IMemorySystem memory = Make(isReference);
        IAddressSpace space = memory.CreateAddressSpace();
        Assert.Equal(HmmStatus.Ok, space.Map(EngineWorld.Pages(0, 4), Protection.ReadWrite, MappingKind.PrivateAnonymous, FileId.None, 0));
        foreach (VpnRange range in (VpnRange[])[EngineWorld.Pages(2, 4), EngineWorld.Pages(8, 1), EngineWorld.Pages(0, 0)])
        {
            Assert.Equal(HmmStatus.Invalid, space.MigrateVmaSetup(new MigrateVma(range, MigrateVmaFlags.SelectSystem, EngineWorld.Owner0)));
        }
    }

    private static IMemorySystem Make(bool isReference, ulong systemFrames = 4096) =>
        Make(isReference, new MemorySystemOptions { SystemFrameCount = systemFrames, SwapSlotCount = 64, Window = Window, TrackContent = true });

    private static IMemorySystem Make(bool isReference, MemorySystemOptions options) => isReference ? new ReferenceMemorySystem(options) : new MemorySystem(options);
}
