using System.Numerics;
using HmmFast.Dma;
using HmmFast.Drivers.Fabric;
using HmmFast.Drivers.Importing;
using HmmFast.Drivers.Moving;
using HmmFast.Policies;
using HmmFast.Properties.Equivalence;
using HmmFast.Reference.Dma;
using HmmFast.Topology;

namespace HmmFast.Properties.Policies;

/// <summary>Small cases worked by hand, each for one rule that posted code has broken.</summary>
public static class PolicyExamples
{
    private static readonly VpnRange Pages = new(new Vpn(1024 - 8), 16);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<NamedCheck> All { get; } =
    [
        new NamedCheck("layout-bits-disjoint", "no flag of any layout lies in another, in the order field or in the pfn", 1, _ => LayoutBits()),
        new NamedCheck("per-page-keeps-neighbours", "one page that cannot be mapped sends itself to system memory and no other", 1, _ => Each(PerPageKeepsNeighbours)),
        new NamedCheck("whole-range-sends-all", "under the whole-range answer one page that cannot be mapped sends all to system memory", 1, _ => Each(WholeRangeSendsAll)),
        new NamedCheck("stale-sequence-noticed", "what is invalidated between fault and map is not mapped", 1, _ => Each(StaleSequenceNoticed)),
        new NamedCheck("one-sequence-for-all-calls", "a request of several calls notices an invalidation of what the first one answered", 1, _ => Each(OneSequence)),
        new NamedCheck("window-bounds", "the window offers exactly the chunks that fit, and an alias is a frame of the window", 1, _ => WindowBounds()),
        new NamedCheck("clique-order", "a chain and a ring are cut by probe order, and never joined where a link is missing", 1, _ => CliqueOrder()),
        new NamedCheck("post-check-mixed", "a range that mixes private and system pages goes to system memory as a whole", 1, _ => Each(PostCheckMixed)),
        new NamedCheck("changes-are-revoked", "when a permission, link, chunk or owner goes, whoever held pages by it was told before the change is complete", 1, _ => Each(ChangesAreRevoked)),
        new NamedCheck("private-pfn-has-no-mapping", "a page that was an alias and is now handed out privately has lost its mapping's flags", 1, _ => Each(PrivatePfnHasNoMapping)),
        new NamedCheck("exporter-maps-what-it-shows", "an exporter maps the pages that its window shows, each to its own place there, and no others", 1, _ => Each(ExporterMapsWhatItShows)),
        new NamedCheck("unplug-out-of-memory", "an unplug that runs out of system memory keeps every page and can be repeated", 1, _ => Each(UnplugOutOfMemory)),
        new NamedCheck("owner-change-out-of-memory", "an owner change that runs out of system memory hands nothing to the old clique, keeps every page and can be repeated", 1, _ => Each(OwnerChangeOutOfMemory)),
    ];

    /// <summary>On the reference and on the engine at every width.</summary>
    internal static void Each(Action<Subject> check)
    {
        check(Subject.Reference);
        foreach (Subject engine in Subject.Engines)
        {
            check(engine);
        }
    }

    private static void LayoutBits()
    {
        foreach (HmmPfnLayout layout in HmmPfnLayout.All)
        {
            ulong seen = layout.PfnMask;
            ulong[] fields =
            [
                0x1FUL << layout.OrderShift, layout.ValidBit, layout.WriteBit, layout.ErrorBit, layout.DmaMappedBit, layout.P2pDmaBit, layout.P2pDmaBusBit,
                layout.AllowP2pBit, layout.TypePrivateBit, layout.TypeP2pBit,
            ];
            foreach (ulong field in fields)
            {
                PolicyInvariants.Require((seen & field) == 0, $"layout {layout}: the field 0x{field:x} overlaps another (0x{seen:x})");
                PolicyInvariants.Require(BitOperations.PopCount(field) is 0 or 1 or 5, $"layout {layout}: the field 0x{field:x} has a strange size");
                seen |= field;
            }
        }
    }

    private static void PerPageKeepsNeighbours(Subject subject)
    {
        using Bench bench = new(subject, new AliasOnRequestPolicy(MapFailureAnswer.PerPage));
        bench.Place(0, 0, 15);
        bench.Place(1, 15, 1);
        PolicyInvariants.Require(bench.Importer.Resolve(Pages) == HmmStatus.Ok, "the request failed");
        bench.Expect(0, 15, PageOutcome.AliasBus);
        bench.Expect(15, 1, PageOutcome.System);
        PolicyInvariants.Require(bench.Importer.Counters.SecondCalls == 1, $"{bench.Importer.Counters.SecondCalls} second calls");
        PolicyInvariants.Require(bench.Memory.Counters.PagesMigratedToSystem == 1, $"{bench.Memory.Counters.PagesMigratedToSystem} pages migrated, not 1");
    }

    private static void WholeRangeSendsAll(Subject subject)
    {
        using Bench bench = new(subject, new AliasOnRequestPolicy(MapFailureAnswer.WholeRange));
        bench.Place(0, 0, 15);
        bench.Place(1, 15, 1);
        PolicyInvariants.Require(bench.Importer.Resolve(Pages) == HmmStatus.Ok, "the request failed");
        bench.Expect(0, 16, PageOutcome.SystemWholeRange);
        PolicyInvariants.Require(bench.Memory.Counters.PagesMigratedToSystem == 16, $"{bench.Memory.Counters.PagesMigratedToSystem} pages migrated, not 16");
    }

    private static void StaleSequenceNoticed(Subject subject)
    {
        using Bench bench = new(subject, new CoreDistancePolicy());
        bench.Place(0, 0, 16);
        int times = 0;
        bench.Importer.BetweenFaultAndMap = () =>
        {
            if (times++ == 0)
            {
                bench.Space.CpuRead(new VpnRange(Pages.Start, 4), [], []);
            }
        };
        PolicyInvariants.Require(bench.Importer.Resolve(Pages) == HmmStatus.Ok, "the request failed");
        bench.Expect(0, 4, PageOutcome.System);
        bench.Expect(4, 12, PageOutcome.AliasBus);
        PolicyInvariants.Require(bench.Importer.Counters.BusyRetries == 1, $"{bench.Importer.Counters.BusyRetries} retries, not 1");
    }

    private static void OneSequence(Subject subject)
    {
        using Bench bench = new(subject, new CoreDistancePolicy(), new ImporterOptions { CallPageCount = 8 });
        bench.Place(0, 0, 16);
        int times = 0;
        bench.Importer.BetweenCalls = () =>
        {
            if (times++ == 0)
            {
                // The first call has answered these pages; the second does not look at them again.
                bench.Space.CpuRead(new VpnRange(Pages.Start, 4), [], []);
            }
        };
        PolicyInvariants.Require(bench.Importer.Resolve(Pages) == HmmStatus.Ok, "the request failed");
        bench.Expect(0, 4, PageOutcome.System);
        bench.Expect(4, 12, PageOutcome.AliasBus);
    }

    private static void WindowBounds()
    {
        for (ulong windowPages = 4; windowPages <= 24; windowPages += 4)
        {
            AliasWindow window = AliasWindow.Create(new Pfn(1000), 18, new Pfn(5000), windowPages, 4);
            for (ulong page = 0; page < 18; page++)
            {
                bool expected = page / 4 < windowPages / 4;
                bool offered = window.TryGetAlias(new Pfn(1000 + page), out Pfn alias);
                PolicyInvariants.Require(offered == expected, $"a window of {windowPages} pages {(offered ? "offers" : "does not offer")} page {page}");
                PolicyInvariants.Require(!offered || (window.Contains(alias) && alias.Value == 5000 + page), $"page {page}'s alias is {alias}");
                PolicyInvariants.Require(!offered || (window.TryGetDevicePage(alias, out Pfn back) && back.Value == 1000 + page), $"{alias} does not lead back to page {page}");
            }

            PolicyInvariants.Require(!window.Contains(new Pfn(5000 + windowPages)) && !window.Contains(new Pfn(4999)), "the window contains its neighbours");
        }

        AliasWindow full = AliasWindow.Create(new Pfn(1000), 18, new Pfn(5000), 8, 4);
        PolicyInvariants.Require(full.TryMapChunk(4, out _) == HmmStatus.OutOfMemory, "a full window took another chunk");
        AliasWindow swapped = full.WithoutChunk(0);
        PolicyInvariants.Require(swapped.TryMapChunk(4, out swapped) == HmmStatus.Ok && swapped.SlotOf(4) == 0 && swapped.SlotOf(1) == 1, "the lowest free slot was not taken");
        PolicyInvariants.Require(swapped.TryGetAlias(new Pfn(1016), out Pfn moved) && moved.Value == 5000, $"chunk 4's alias is {moved}");
    }

    private static void CliqueOrder()
    {
        static bool Chain(int a, int b) => Math.Abs(a - b) <= 1;
        static bool Ring(int a, int b) => (a - b + 4) % 4 != 2;
        PolicyInvariants.Require(Cut([0, 1, 2], Chain) == "0,1 2", $"the chain is cut {Cut([0, 1, 2], Chain)}");
        PolicyInvariants.Require(Cut([2, 1, 0], Chain) == "2,1 0", $"the chain from its end is cut {Cut([2, 1, 0], Chain)}");
        PolicyInvariants.Require(Cut([0, 2, 1], Chain) == "0,1 2", $"the chain from both ends is cut {Cut([0, 2, 1], Chain)}");
        PolicyInvariants.Require(Cut([0, 1, 2, 3], Ring) == "0,1 2,3", $"the ring is cut {Cut([0, 1, 2, 3], Ring)}");
        PolicyInvariants.Require(Cut([0, 3, 1, 2], Ring) == "0,3 1,2", $"the ring is cut {Cut([0, 3, 1, 2], Ring)}");
    }

    private static string Cut(int[] order, Func<int, int, bool> isConnected)
    {
        CliqueOwners cliques = new(1);
        var owners = order.Select(member => (Member: member, Owner: cliques.Join(member, isConnected))).ToArray();
        return string.Join(" ", owners.GroupBy(pair => pair.Owner).Select(group => string.Join(",", group.Select(pair => pair.Member))));
    }

    private static void PostCheckMixed(Subject subject)
    {
        using Bench bench = new(subject, new PostCheckPolicy());
        bench.Place(0, 0, 15);
        PolicyInvariants.Require(bench.Importer.Resolve(new VpnRange(Pages.Start, 15)) == HmmStatus.Ok, "the request failed");
        bench.Expect(0, 15, PageOutcome.PrivateExporterMapped);
        PolicyInvariants.Require(bench.Importer.Resolve(Pages) == HmmStatus.Ok, "the second request failed");
        bench.Expect(0, 16, PageOutcome.SystemWholeRange);
        PolicyInvariants.Require(bench.Importer.Counters.PostCheckMisses == 1, $"{bench.Importer.Counters.PostCheckMisses} misses");
    }

    private static void ChangesAreRevoked(Subject subject)
    {
        using (Bench permission = new(subject, new DevmemAllowedPolicy()))
        {
            permission.Place(0, 0, 16);
            _ = permission.Importer.Resolve(Pages);
            permission.Expect(0, 16, PageOutcome.PrivateExporterMapped);
            permission.Fabric.SetPermission(0, 2, false);
            permission.ExpectNothing("a client that is no longer let in");
        }

        using (Bench link = new(subject, new RangeCallbackPolicy()))
        {
            link.Place(1, 0, 16);
            _ = link.Importer.Resolve(Pages);
            link.Expect(0, 16, PageOutcome.PrivateLink);
            _ = link.Fabric.SetLink(0, false);
            link.ExpectNothing("a client whose link is down");
            _ = link.Importer.Resolve(Pages);
            link.Expect(0, 16, PageOutcome.System);
        }

        using (Bench chunk = new(subject, new CoreDistancePolicy()))
        {
            chunk.Place(0, 0, 16);
            _ = chunk.Importer.Resolve(Pages);
            chunk.Expect(0, 16, PageOutcome.AliasBus);
            chunk.Fabric.UnmapChunk(0, 0);
            chunk.ExpectNothing("a client whose chunk left the window");
        }

        using (Bench owner = new(subject, OwnerOnlyPolicy.Instance))
        {
            owner.Place(0, 0, 16);
            DeviceId gpu = owner.Fabric.DeviceOf(0)!.Value;
            owner.Importer.OwnerOverride = new OwnerId(1);
            owner.Memory.SetOwner(gpu, new OwnerId(7));
            owner.Memory.SetOwner(gpu, new OwnerId(1));
            _ = owner.Importer.Resolve(Pages);
            PolicyInvariants.Require(owner.Importer.Words.ContainsAnyExcept(default(HmmPfn)), $"{subject.Name}: nothing was handed out to the owner");
            owner.Memory.SetOwner(gpu, new OwnerId(8));
            owner.ExpectNothing("a client with the old owner");
            _ = owner.Importer.Resolve(Pages);
            owner.Expect(0, 16, PageOutcome.System);
        }
    }

    private static void PrivatePfnHasNoMapping(Subject subject)
    {
        using Bench bench = new(subject, new CoreDistancePolicy());
        bench.Place(0, 0, 16);
        _ = bench.Importer.Resolve(Pages);
        bench.Expect(0, 16, PageOutcome.AliasBus);

        // The same pages again, by somebody who carries their owner: private pfns, which no DMA map has seen.
        bench.Importer.OwnerOverride = new OwnerId(1);
        _ = bench.Importer.Resolve(Pages);
        bench.Expect(0, 16, PageOutcome.Unusable);
        foreach (HmmPfn word in bench.Importer.Words)
        {
            PolicyInvariants.Require((word.Raw & bench.Memory.Options.Layout.StickyMask) == 0, $"{subject.Name}: {word} carries the flags of its alias");
        }
    }

    private static void ExporterMapsWhatItShows(Subject subject)
    {
        using Bench bench = new(subject, new DevmemAllowedPolicy());
        bench.Place(0, 0, 16);
        bench.Fabric.UnmapChunk(0, 1);
        PolicyInvariants.Require(bench.Importer.Resolve(Pages) == HmmStatus.RemoteIo, $"{subject.Name}: a chunk that is not shown was mapped");
        bench.Expect(0, 4, PageOutcome.PrivateExporterMapped);
        bench.Expect(4, 4, PageOutcome.Unusable);
        bench.Expect(8, 8, PageOutcome.PrivateExporterMapped);
        ulong bar = bench.Memory.DeviceFrames(bench.Fabric.AliasDeviceOf(0)!.Value).First.Value;
        for (int i = 0; i < 16; i++)
        {
            ulong expected = i / 4 == 1 ? DmaAddress.MappingError.Value : (bar + (ulong)i) * 4096;
            PolicyInvariants.Require(bench.Importer.ExporterAddressOf(i).Value == expected, $"{subject.Name}: page {i} is at {bench.Importer.ExporterAddressOf(i)}");
        }
    }

    private static void UnplugOutOfMemory(Subject subject)
    {
        using Bench bench = new(subject, new CoreDistancePolicy(), systemFrames: 20);
        bench.Place(0, 0, 16);
        PolicyInvariants.Require(bench.Importer.Resolve(Pages) == HmmStatus.Ok, "the request failed");
        List<Pfn> taken = bench.TakeFramesBut(5);
        PolicyInvariants.Require(bench.Fabric.Unplug(0) == HmmStatus.OutOfMemory, $"{subject.Name}: an unplug without room went through");
        PolicyInvariants.Require(!bench.Importer.Words.ContainsAnyExcept(default(HmmPfn)), "something is still mapped");
        taken.ForEach(bench.Memory.ReleasePage);
        PolicyInvariants.Require(bench.Fabric.Unplug(0) == HmmStatus.Ok && bench.Fabric.DeviceOf(0) is null, $"{subject.Name}: the unplug could not be repeated");
        bench.ExpectContent();
    }

    private static void OwnerChangeOutOfMemory(Subject subject)
    {
        // gpu1 and the client are one clique by their link; gpu1 cannot be emptied when it leaves.
        using Bench bench = new(subject, new DynamicOwnerPolicy(OwnerRule.CliquesByEviction), systemFrames: 20);
        bench.Place(1, 0, 16);
        PolicyInvariants.Require(bench.Importer.Resolve(Pages) == HmmStatus.Ok, "the request failed");
        bench.Expect(0, 16, PageOutcome.PrivateLink);
        List<Pfn> taken = bench.TakeFramesBut(5);
        PolicyInvariants.Require(bench.Fabric.SetLink(0, false) == HmmStatus.OutOfMemory, $"{subject.Name}: an owner change without room went through");
        bench.ExpectNothing("the client whose link is down");
        PolicyInvariants.Require(bench.Importer.Resolve(Pages) == HmmStatus.OutOfMemory, $"{subject.Name}: pages were handed out for which there is no room");
        PolicyInvariants.Require(bench.Importer.Counters.UnusablePfns == 0, $"{subject.Name}: {bench.Importer.Counters.UnusablePfns} pfns that cannot be used");
        DeviceId kept = bench.Fabric.DeviceOf(1)!.Value;
        PolicyInvariants.Require(bench.Memory.OwnerOf(kept) == bench.Fabric.OwnerOf(1) && bench.Fabric.OwnerOf(1) != bench.Fabric.OwnerOf(2), $"{subject.Name}: the old clique's owner still matches");
        taken.ForEach(bench.Memory.ReleasePage);
        PolicyInvariants.Require(
            bench.Fabric.SetLink(0, false) == HmmStatus.Ok && bench.Fabric.DeviceOf(1) != kept && bench.Fabric.Counters.Reregistrations == 1, $"{subject.Name}: the owner change could not be repeated");
        PolicyInvariants.Require(bench.Importer.Resolve(Pages) == HmmStatus.Ok, "the last request failed");
        bench.Expect(0, 16, PageOutcome.System);
        bench.ExpectContent();
    }

    /// <summary>A small machine's memory.</summary>
    internal static MemorySystemOptions Options(ulong systemFrames = 256) => new()
    {
        SystemFrameCount = systemFrames,
        Window = new VpnRange(new Vpn(512), 1024),
        Layout = HmmPfnLayout.Linux616AllowP2p,
        TrackContent = true,
    };

    /// <summary>gpu0 that the client reaches by bus address, gpu1 that offers aliases nobody reaches, and the client.</summary>
    private sealed class Bench : IDisposable
    {
        private readonly PageMover _mover;

        public Bench(Subject subject, IHmmPolicy policy, ImporterOptions? options = null, ulong systemFrames = 256)
        {
            Memory = subject.Make(Options(systemFrames));
            Fabric = new DeviceFabric(
                Memory,
                new FabricPlan
                {
                    Members =
                    [
                        new FabricMember { Name = "gpu0", MemoryPageCount = 32, Owner = new OwnerId(1), WindowPageCount = 32, ChunkPageCount = 4 },
                        new FabricMember { Name = "gpu1", MemoryPageCount = 32, Owner = new OwnerId(2), WindowPageCount = 32, ChunkPageCount = 4 },
                        new FabricMember { Name = "client" },
                    ],
                    Links = [new FabricLink(1, 2, new PathEstimate(150e9, 1000))],
                    P2p = (provider, client) => provider != 1 && client != 1 ? new P2PdmaAnswer(P2PdmaMapType.BusAddr, 4) : new P2PdmaAnswer(P2PdmaMapType.NotSupported, 0),
                },
                policy);
            Space = Memory.CreateAddressSpace();
            _ = Space.Map(Pages, Protection.ReadWrite, MappingKind.PrivateAnonymous, FileId.None, 0);
            _ = Space.CpuWrite(Pages, 100, 1, []);
            _mover = new PageMover(Memory);
            IDmaDevice dma = Memory is MemorySystem ? new DmaDevice(Memory, Fabric.ClientOf(2)) : new ReferenceDmaDevice(Memory, Fabric.ClientOf(2));
            Importer = new PageImporter(Space, Fabric, 2, dma, Pages, options);
        }

        public IMemorySystem Memory { get; }

        public DeviceFabric Fabric { get; }

        public IAddressSpace Space { get; }

        public PageImporter Importer { get; }

        public void Place(int member, int first, int count)
        {
            // From wherever it is: the CPU fetches it first.
            VpnRange range = new(Pages.Start + (ulong)first, (ulong)count);
            _ = Space.CpuRead(range, [], []);
            ulong before = Memory.Counters.PagesMigratedToSystem;
            _ = _mover.ToDevice(Space, range, Fabric.DeviceOf(member)!.Value, out ulong moved);
            PolicyInvariants.Require(moved == (ulong)count && before == Memory.Counters.PagesMigratedToSystem, $"{moved} of {count} pages were placed");
        }

        public void Expect(int first, int count, PageOutcome outcome)
        {
            for (int i = first; i < first + count; i++)
            {
                PolicyInvariants.Require(Importer.Outcomes[i] == outcome, $"page {i} ended as {Importer.Outcomes[i]}, not {outcome}");
            }
        }

        /// <summary>Takes system frames until that many are left.</summary>
        public List<Pfn> TakeFramesBut(ulong left)
        {
            List<Pfn> taken = [];
            while (Memory.FreeSystemFrameCount > left && Memory.TryAllocateSystemPage(out Pfn pfn) == HmmStatus.Ok)
            {
                taken.Add(pfn);
            }

            return taken;
        }

        public void ExpectContent()
        {
            ulong[] tags = new ulong[16];
            _ = Space.CpuRead(Pages, tags, []);
            for (int i = 0; i < tags.Length; i++)
            {
                PolicyInvariants.Require(tags[i] == 100 + (ulong)i, $"page {i} holds {tags[i]}");
            }
        }

        public void ExpectNothing(string who) =>
            PolicyInvariants.Require(!Importer.Words.ContainsAnyExcept(default(HmmPfn)), $"{who} still holds pages");

        public void Dispose()
        {
            Importer.Dispose();
            Memory.Dispose();
        }
    }
}
