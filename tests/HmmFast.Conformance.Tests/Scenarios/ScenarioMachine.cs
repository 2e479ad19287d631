using HmmFast.Drivers.Mirror;
using HmmFast.Simulation.Traces;

namespace HmmFast.Conformance.Tests.Scenarios;

/// <summary>A process with room for one buffer and two mirror devices attached to it.</summary>
internal sealed class ScenarioMachine : IDisposable
{
    private const ulong WindowStart = 8UL << 18;

    internal ScenarioMachine(string engine, DeviceMemoryKind kind)
    {
        ConformanceEngine implementation = ConformanceEngine.Both.Single(candidate => candidate.Name == engine);
        Memory = implementation.Create(new MemorySystemOptions
        {
            SystemFrameCount = 16384,
            SwapSlotCount = 4096,
            Window = new VpnRange(new Vpn(WindowStart), 8192),
            Layout = HmmPfnLayout.Linux612,
            TrackContent = true,
        });
        Device0 = new MirrorDevice(Memory, "mirror0", 4096, new OwnerId(1), kind);
        Device1 = new MirrorDevice(Memory, "mirror1", 4096, new OwnerId(2), kind);
        Space = Memory.CreateAddressSpace();
        Device0.Attach(Space);
        Device1.Attach(Space);
    }

    /// <summary>Every implementation with every kind of device memory.</summary>
    internal static TheoryData<string, DeviceMemoryKind> All
    {
        get
        {
            TheoryData<string, DeviceMemoryKind> data = [];
            foreach (ConformanceEngine engine in ConformanceEngine.Both)
            {
                data.Add(engine.Name, DeviceMemoryKind.Private);
                data.Add(engine.Name, DeviceMemoryKind.Coherent);
            }

            return data;
        }
    }

    internal IMemorySystem Memory { get; }

    internal IAddressSpace Space { get; }

    internal MirrorDevice Device0 { get; }

    internal MirrorDevice Device1 { get; }

    public void Dispose()
    {
        Device0.Dispose();
        Device1.Dispose();
        Space.Dispose();
        Memory.Dispose();
    }

    /// <summary>Pages of the buffer, from the start of a 2 MiB block.</summary>
    internal static VpnRange Pages(int from, int count) => new(new Vpn(WindowStart + 1024 + (ulong)from), (ulong)count);

    /// <summary>The bytes of a page's start.</summary>
    internal static ulong Address(int page) => (WindowStart + 1024 + (ulong)page) * PageOrder.PageSizeBytes;

    internal void Map(int from, int count, Protection protection = Protection.ReadWrite, MappingKind kind = MappingKind.PrivateAnonymous) =>
        Assert.Equal(HmmStatus.Ok, Space.Map(Pages(from, count), protection, kind, FileId.None, 0));

    internal void Write(int from, int count, ulong tag) => Write(Space, from, count, tag);

    internal static void Write(IAddressSpace space, int from, int count, ulong tag) =>
        Assert.Equal(CpuAccessResult.Ok, space.CpuWrite(Pages(from, count), tag, 1, []));

    internal void ExpectContent(int from, int count, ulong tag) => ExpectContent(Space, from, count, tag);

    /// <summary>The CPU reads what page i was given: <paramref name="tag"/> + i; a tag of 0 means zeroes.</summary>
    internal static void ExpectContent(IAddressSpace space, int from, int count, ulong tag)
    {
        ulong[] tags = new ulong[count];
        Assert.Equal(CpuAccessResult.Ok, space.CpuRead(Pages(from, count), tags, []));
        Assert.Equal(Tags(count, tag), tags);
    }

    /// <summary>The device reads what page i was given, in the said number of fault rounds.</summary>
    internal static void ExpectDeviceContent(MirrorDevice device, int from, int count, ulong tag, ulong? rounds = null)
    {
        ulong[] tags = new ulong[count];
        MirrorResult result = device.Read(Address(from), (ulong)count, tags);
        Assert.Equal(HmmStatus.Ok, result.Status);
        Assert.Equal((ulong)count, result.PageCount);
        Assert.Equal(Tags(count, tag), tags);
        if (rounds is { } expected)
        {
            Assert.Equal(expected, result.FaultRoundCount);
        }
    }

    internal static MirrorResult DeviceWrite(MirrorDevice device, int from, int count, ulong tag) =>
        device.Write(Address(from), (ulong)count, Tags(count, tag));

    internal static MirrorResult Migrate(MirrorDevice device, int from, int count, ulong? tag = null)
    {
        ulong[] tags = new ulong[count];
        MirrorResult result = device.MigrateToDevice(Address(from), (ulong)count, tags);
        if (tag is { } expected)
        {
            Assert.Equal(HmmStatus.Ok, result.Status);
            Assert.Equal((ulong)count, result.PageCount);
            Assert.Equal(Tags(count, expected), tags);
        }

        return result;
    }

    internal static void ExpectSnapshot(MirrorDevice device, int from, params MirrorProtection[] expected)
    {
        MirrorProtection[] got = new MirrorProtection[expected.Length];
        Assert.Equal(HmmStatus.Ok, device.Snapshot(Address(from), (ulong)expected.Length, got).Status);
        Assert.Equal(expected, got);
    }

    internal PageObservation[] Observe(int from, int count) => Observe(Space, from, count);

    internal static PageObservation[] Observe(IAddressSpace space, int from, int count)
    {
        PageObservation[] pages = new PageObservation[count];
        space.Observe(Pages(from, count), pages);
        return pages;
    }

    /// <summary>True when every page's frame is the device's.</summary>
    internal bool AreOn(MirrorDevice device, int from, int count) =>
        Observe(from, count).All(page => page.Frame.IsFrame && Memory.DeviceOf(page.Frame) == device.Id);

    /// <summary>True when no page's frame is a device's.</summary>
    internal bool AreInSystem(int from, int count) =>
        Observe(from, count).All(page => page.Kind == PageEntryKind.Present && Memory.DeviceOf(page.Frame) is null);

    internal static ulong[] Tags(int count, ulong tag)
    {
        ulong[] tags = new ulong[count];
        for (int i = 0; i < count && tag != 0; i++)
        {
            tags[i] = tag + (ulong)i;
        }

        return tags;
    }
}
