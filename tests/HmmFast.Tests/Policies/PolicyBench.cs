using HmmFast.Dma;
using HmmFast.Drivers.Fabric;
using HmmFast.Drivers.Importing;
using HmmFast.Drivers.Moving;
using HmmFast.Policies;
using HmmFast.Reference;
using HmmFast.Reference.Dma;
using HmmFast.Topology;

namespace HmmFast.Tests.Policies;

/// <summary>A small machine for policy tests: gpu0 (member 0, exports) and a client (member 1), with every input settable, on engine or reference.</summary>
internal sealed class PolicyBench : IDisposable
{
    public const string Engine = "engine";
    public const string Reference = "reference";

    public static readonly VpnRange Memory4 = new(new Vpn(0x1000), 4);

    public PolicyBench(string subject, IHmmPolicy policy, Setup setup, ulong pageCount = 4, ulong systemFrames = 4096)
    {
        Subject = subject;
        MemorySystemOptions options = new()
        {
            SystemFrameCount = systemFrames,
            SwapSlotCount = 16,
            Window = new VpnRange(new Vpn(0), 1 << 20),
            Layout = HmmPfnLayout.Linux616Typed,
            TrackContent = true,
        };
        System = subject == Engine ? new MemorySystem(options) : new ReferenceMemorySystem(options);
        Fabric = new DeviceFabric(System, setup.Plan(pageCount), policy);
        Space = System.CreateAddressSpace();
        Range = new VpnRange(Memory4.Start, pageCount);
        Assert.Equal(HmmStatus.Ok, Space.Map(Range, Protection.ReadWrite, MappingKind.PrivateAnonymous, FileId.None, 0));
        Assert.Equal(CpuAccessResult.Ok, Space.CpuWrite(Range, 100, 1, []));
        Mover = new PageMover(System);
        Importer = new PageImporter(Space, Fabric, 1, NewDma(setup.Dma), Range, new ImporterOptions { Writes = setup.Writes });
    }

    public string Subject { get; }

    public IMemorySystem System { get; }

    public IAddressSpace Space { get; }

    public DeviceFabric Fabric { get; }

    public PageMover Mover { get; }

    public PageImporter Importer { get; }

    public VpnRange Range { get; }

    public static IEnumerable<string> Subjects => [Engine, Reference];

    /// <summary>Moves pages of the range to a member's memory.</summary>
    public void Place(int member, int first, int count)
    {
        Assert.Equal(HmmStatus.Ok, Mover.ToDevice(Space, new VpnRange(Range.Start + (ulong)first, (ulong)count), Fabric.DeviceOf(member)!.Value, out ulong moved));
        Assert.Equal((ulong)count, moved);
    }

    public IDmaDevice NewDma(DmaDeviceOptions options, int member = 1) => Subject == Engine
        ? new DmaDevice(System, Fabric.ClientOf(member), options)
        : new ReferenceDmaDevice(System, Fabric.ClientOf(member), options);

    /// <summary>Content is what the CPU wrote: page i holds 100 + i.</summary>
    public void CheckContent()
    {
        ulong[] tags = new ulong[Range.PageCount];
        Assert.Equal(CpuAccessResult.Ok, Space.CpuRead(Range, tags, []));
        for (int i = 0; i < tags.Length; i++)
        {
            Assert.Equal(100UL + (ulong)i, tags[i]);
        }
    }

    public void Dispose()
    {
        Importer.Dispose();
        Space.Dispose();
        System.Dispose();
    }

    /// <summary>The inputs of the tables. Members: gpu0, the client, and gpu2 that nobody reaches.</summary>
    public sealed record Setup
    {
        public bool OwnerMatches { get; init; }

        public bool Offers { get; init; } = true;

        public P2PdmaMapType MapType { get; init; } = P2PdmaMapType.BusAddr;

        public bool HasLink { get; init; }

        public bool LinkIsUp { get; init; } = true;

        public PathEstimate LinkPath { get; init; } = new(150e9, 1000);

        public DeviceMemoryKind ExporterKind { get; init; }

        public bool Permits { get; init; } = true;

        public bool ClientHasMemory { get; init; }

        public ulong? ClientPages { get; init; }

        public ulong? WindowPages { get; init; }

        public bool Writes { get; init; }

        public InterconnectRule Interconnect { get; init; } = InterconnectRule.Link;

        public DmaDeviceOptions Dma { get; init; } = new();

        public FabricPlan Plan(ulong pageCount) => new()
        {
            Members =
            [
                new FabricMember
                {
                    Name = "gpu0",
                    MemoryPageCount = pageCount,
                    Kind = ExporterKind,
                    Owner = new OwnerId(1),
                    WindowPageCount = WindowPages ?? (Offers ? pageCount : 0),
                    ChunkPageCount = 1,
                    BusOffsetBytes = 0x1_0000_0000,
                },
                new FabricMember { Name = "client", MemoryPageCount = ClientHasMemory ? ClientPages ?? pageCount : 0, Owner = new OwnerId(OwnerMatches ? 1u : 2u) },
                new FabricMember { Name = "gpu2", MemoryPageCount = pageCount, Owner = new OwnerId(3), WindowPageCount = pageCount, ChunkPageCount = 1 },
            ],
            Links = HasLink ? [new FabricLink(0, 1, LinkPath, LinkIsUp)] : [],
            P2p = (provider, client) => provider == client ? new P2PdmaAnswer(P2PdmaMapType.BusAddr, 0)
                : provider == 0 && client == 1 || provider == 1 && client == 0 ? new P2PdmaAnswer(MapType, 4)
                : new P2PdmaAnswer(P2PdmaMapType.NotSupported, 0),
            Permits = (provider, client) => Permits || provider != 0,
            Interconnect = Interconnect,
        };
    }
}
