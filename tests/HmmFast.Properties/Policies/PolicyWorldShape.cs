using System.Numerics;
using HmmFast.Dma;
using HmmFast.Drivers.Fabric;
using HmmFast.Policies;
using HmmFast.Topology;

namespace HmmFast.Properties.Policies;

/// <summary>A random small machine and policy: three devices with memory (one of them may be coherent), one without.</summary>
public sealed class PolicyWorldShape
{
    public const int MemberCount = 4;

    // The pages of most worlds, across a 2 MiB border; some have a whole 2 MiB block in front of them.
    private const int SmallPageCount = 96;

    public PolicyWorldShape(Random random, IHmmPolicy? policy = null)
    {
        Policy = policy ?? PolicyCatalog.All[random.Next(PolicyCatalog.All.Count)];
        Habit = random.Next(4) == 0 ? FaultHabit.OnlyAsked : FaultHabit.RunForward;
        CallPageCount = random.Next(3) == 0 ? 1 + random.Next(40) : int.MaxValue;
        HasHugePages = random.Next(8) == 0;
        Pages = HasHugePages ? VpnRange.FromBounds(new Vpn(512), new Vpn(1024 + 40)) : new VpnRange(new Vpn(1024 - 40), SmallPageCount);
        int types = random.Next(3);
        var answers = new P2PdmaAnswer[MemberCount * MemberCount];
        bool[] permits = new bool[MemberCount * MemberCount];
        for (int i = 0; i < answers.Length; i++)
        {
            bool isSelf = i / MemberCount == i % MemberCount;
            P2PdmaMapType type = isSelf ? P2PdmaMapType.BusAddr : random.Next(types == 0 ? 2 : 3) switch
            {
                0 => P2PdmaMapType.BusAddr,
                1 => P2PdmaMapType.ThruHostBridge,
                _ => P2PdmaMapType.NotSupported,
            };
            answers[i] = new P2PdmaAnswer(type, 4);
            permits[i] = isSelf || random.Next(5) != 0;
        }

        List<FabricLink> links = [];
        for (int from = 0; from < MemberCount; from++)
        {
            for (int to = from + 1; to < MemberCount; to++)
            {
                if (random.Next(3) == 0)
                {
                    double bandwidth = random.Next(2) == 0 ? 150e9 : 10e9;
                    links.Add(new FabricLink(from, to, new PathEstimate(bandwidth, 1000), random.Next(4) != 0));
                }
            }
        }

        ulong systemFrames = HasHugePages ? 3 * 512 : random.Next(6) == 0 ? SmallPageCount - 10u + (ulong)random.Next(20) : 4 * SmallPageCount;
        int[] order = [0, 1, 2, 3];
        random.Shuffle(order);
        Plan = new FabricPlan
        {
            Members = [.. Enumerable.Range(0, MemberCount).Select(index => Member(random, index, systemFrames))],
            Links = links,
            P2p = (provider, client) => answers[(provider * MemberCount) + client],
            Permits = (provider, client) => permits[(provider * MemberCount) + client],
            ProbeOrder = order,
            Interconnect = random.Next(2) == 0 ? InterconnectRule.Link : InterconnectRule.LinkOrP2p,
        };
        Options = new MemorySystemOptions
        {
            SystemFrameCount = systemFrames,
            SwapSlotCount = 32,
            Window = Window,
            Layout = Policy.TypedOutput || random.Next(2) == 0 ? HmmPfnLayout.Linux616Typed : HmmPfnLayout.Linux616AllowP2p,
            TrackContent = true,
        };
    }

    /// <summary>The pages.</summary>
    public VpnRange Pages { get; }

    public int PageCount => (int)Pages.PageCount;

    /// <summary>True when the pages have room for a 2 MiB entry.</summary>
    public bool HasHugePages { get; }

    public static VpnRange Window { get; } = new(new Vpn(512), 1024);

    public IHmmPolicy Policy { get; }

    public FaultHabit Habit { get; }

    public int CallPageCount { get; }

    public FabricPlan Plan { get; }

    public MemorySystemOptions Options { get; }

    private static FabricMember Member(Random random, int index, ulong systemFrames)
    {
        bool hasMemory = index != 3;
        ulong memory = hasMemory ? 24 + (ulong)random.Next(SmallPageCount) : 0;
        bool isCoherent = index == 2 && random.Next(3) == 0;
        ulong chunk = 1UL << random.Next(4);
        ulong window = !hasMemory || isCoherent ? 0 : random.Next(4) switch
        {
            0 => 0,
            1 => chunk * (1 + (ulong)random.Next(4)),
            _ => (memory + chunk - 1) / chunk * chunk,
        };
        return new FabricMember
        {
            Name = $"member{index}",
            MemoryPageCount = memory,
            Kind = isCoherent ? DeviceMemoryKind.Coherent : DeviceMemoryKind.Private,
            Owner = new OwnerId(hasMemory ? 1 + (uint)random.Next(3) : (uint)random.Next(4)),
            WindowPageCount = window,
            ChunkPageCount = chunk,
            BusOffsetBytes = random.Next(2) * 0x7000_0000L,
            Dma = Dma(random, systemFrames),
        };
    }

    private static DmaDeviceOptions Dma(Random random, ulong systemFrames)
    {
        // Every system frame must be in reach, and an importer's two IOVA ranges (its own map and the exporters'); of device memory a narrow mask may leave out some.
        int narrow = 12 + BitOperations.Log2(Math.Max(systemFrames, 2UL * SmallPageCount) + 3) + 1;
        return new DmaDeviceOptions { UsesIommu = random.Next(2) == 0, OffsetBytes = random.Next(2) * 0x1000L, IovaStart = 0x1000, MaskBits = random.Next(4) == 0 ? narrow : 64 };
    }
}
