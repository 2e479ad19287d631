using HmmFast.Dma;
using HmmFast.Policies;
using HmmFast.Properties.Equivalence;
using HmmFast.Reference.Dma;
using HmmFast.Topology;

namespace HmmFast.Properties.Policies;

/// <summary>The DMA step: engine equals reference at every width, look-ups are paid per run, private pfns are refused with nothing mapped.</summary>
public static class DmaChecks
{
    private const int Words = 700;

    /// <summary>All of them.</summary>
    public static IReadOnlyList<NamedCheck> All { get; } =
    [
        new NamedCheck("dma", "random words are mapped, kept, refused and unmapped alike by engine (every width) and reference", 120, run => Repeat(run, Random)),
        new NamedCheck("dma-table", "each line of the DMA table, by hand", 1, _ => Table()),
    ];

    private static void Repeat(CheckRun run, Action<Random, Subject> one)
    {
        for (int i = 0; i < run.Count; i++)
        {
            try
            {
                one(new Random(unchecked((run.Seed * 7907) + i)), Subject.Engines[i % Subject.Engines.Count]);
            }
            catch (CheckFailedException failure)
            {
                throw new CheckFailedException($"{failure.Message}\ncase {i} of seed {run.Seed}", failure);
            }
        }
    }

    private static void Random(Random random, Subject subject)
    {
        HmmPfnLayout layout = random.Next(8) == 0 ? HmmPfnLayout.Linux612 : HmmPfnLayout.Linux616Typed;
        DmaDeviceOptions options = new()
        {
            UsesIommu = random.Next(2) == 0,
            OffsetBytes = random.Next(3) * 0x10000L,
            MaskBits = random.Next(3) == 0 ? 24 : 64,
            IovaStart = random.Next(2) == 0 ? 0x1000UL : 0x20_0000,
        };
        using World left = new(layout, Subject.Reference, options, random.Next());
        using World right = new(layout, subject, options, left.Seed);
        if (left.Map is null || right.Map is null)
        {
            PolicyInvariants.Require(left.Map is null && right.Map is null, "only one of the two refuses the device");
            return;
        }

        PolicyInvariants.Require(left.Map.IovaBase == right.Map.IovaBase, $"IOVA base {right.Map.IovaBase}, the reference says {left.Map.IovaBase}");
        var words = new HmmPfn[Words];
        int style = random.Next(4);
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = left.Word(random, style, i == 0 ? default : words[i - 1]);
        }

        int first = random.Next(40);
        for (int round = 0; round < 3; round++)
        {
            Same(left, right, words, first, random);
        }

        for (int round = 0; round < 4; round++)
        {
            SameProvider(left, right, random);
        }
    }

    /// <summary>Memory without struct pages, near the end of what the device can drive, mapped and unmapped.</summary>
    private static void SameProvider(World left, World right, Random random)
    {
        var expected = new DmaAddress[1 + random.Next(300)];
        var got = new DmaAddress[expected.Length];
        int entry = random.Next(Words - expected.Length);
        P2pProvider provider = new(new DeviceId(0), (P2PdmaMapType)random.Next(4), random.Next(2) * 0x7000L);
        ulong physical = (ulong)random.Next(3 * 4096) * 4096;
        string what = $"{expected.Length} pages of a provider ({provider.MapType}) at 0x{physical:x}";
        HmmStatus status = left.Map!.MapProvider(entry, provider, physical, expected);
        PolicyInvariants.Require(status == right.Map!.MapProvider(entry, provider, physical, got) && expected.AsSpan().SequenceEqual(got), $"{what}: status or addresses differ from the reference's {status} and {expected[0]}");
        if (random.Next(2) == 0)
        {
            int cut = random.Next(expected.Length);
            int unmapped = left.Map.UnmapProvider(entry + cut, expected.AsSpan(cut));
            PolicyInvariants.Require(unmapped == (status == HmmStatus.Ok ? expected.Length - cut : 0), $"{what}: {unmapped} unmapped");
            PolicyInvariants.Require(right.Map.UnmapProvider(entry + cut, got.AsSpan(cut)) == unmapped && expected.AsSpan().SequenceEqual(got), $"{what}: unmapping differs from the reference's {unmapped}");
            PolicyInvariants.Require(right.Map.UnmapProvider(entry + cut, got.AsSpan(cut)) == 0, $"{what}: unmapped twice");
            _ = left.Map.UnmapProvider(entry + cut, expected.AsSpan(cut));
        }

        PolicyInvariants.Require(left.Map.Counters == right.Map.Counters, $"{what}: counters {right.Map.Counters}, the reference says {left.Map.Counters}");
    }

    private static void Same(World left, World right, HmmPfn[] words, int first, Random random)
    {
        HmmPfn[] leftWords = [.. words];
        HmmPfn[] rightWords = [.. words];
        var leftAddresses = new DmaAddress[words.Length];
        var rightAddresses = new DmaAddress[words.Length];
        if (Array.Exists(words, word => left.IsPrivate(word)))
        {
            Refused(() => left.Map!.Map(first, leftWords, leftAddresses), "reference");
            Refused(() => right.Map!.Map(first, rightWords, rightAddresses), "engine");
            PolicyInvariants.Require(words.AsSpan().SequenceEqual(rightWords) && words.AsSpan().SequenceEqual(leftWords), "words changed although the map was refused");
            for (int i = 0; i < words.Length; i++)
            {
                words[i] = left.IsPrivate(words[i]) ? default : words[i];
            }

            return;
        }

        int lookups = left.CountRuns(words);
        ulong before = right.Map!.Counters.P2pLookups;
        HmmStatus expected = left.Map!.Map(first, leftWords, leftAddresses);
        HmmStatus got = right.Map.Map(first, rightWords, rightAddresses);
        PolicyInvariants.Require(expected == got, $"status {got}, the reference says {expected}");
        for (int i = 0; i < words.Length; i++)
        {
            PolicyInvariants.Require(
                leftWords[i] == rightWords[i] && leftAddresses[i] == rightAddresses[i],
                $"word {i} ({words[i]}) became {rightWords[i]} at {rightAddresses[i]}, the reference says {leftWords[i]} at {leftAddresses[i]}");
        }

        PolicyInvariants.Require(left.Map.Counters == right.Map.Counters, $"counters {right.Map.Counters}, the reference says {left.Map.Counters}");
        PolicyInvariants.Require(right.Map.Counters.P2pLookups - before == (ulong)lookups, $"{right.Map.Counters.P2pLookups - before} look-ups for {lookups} runs of pages of one pagemap");
        leftWords.CopyTo(words, 0);
        if (random.Next(3) == 0)
        {
            int at = random.Next(words.Length / 2);
            int count = random.Next(words.Length / 2);
            int leftUnmapped = left.Map.Unmap(first + at, words.AsSpan(at, count));
            int rightUnmapped = right.Map.Unmap(first + at, rightWords.AsSpan(at, count));
            PolicyInvariants.Require(leftUnmapped == rightUnmapped && words.AsSpan().SequenceEqual(rightWords), $"{rightUnmapped} unmapped, the reference says {leftUnmapped}, or the words differ");
        }
    }

    private static void Refused(Action map, string who)
    {
        try
        {
            map();
        }
        catch (InvalidOperationException)
        {
            return;
        }

        throw new CheckFailedException($"the {who} mapped a device-private pfn");
    }

    private static void Table()
    {
        foreach (Subject subject in (Subject[])[Subject.Reference, .. Subject.Engines])
        {
            HmmPfnLayout layout = HmmPfnLayout.Linux616;
            using World world = new(layout, subject, new DmaDeviceOptions { IovaStart = 0x10000 }, 1);
            using World bare = new(layout, subject, new DmaDeviceOptions { UsesIommu = false, OffsetBytes = 0x4000 }, 1);
            ulong valid = layout.ValidBit;
            ulong slots = world.Map!.IovaBase.Value;
            PolicyInvariants.Require(slots == 0x10000 + (30 * 4096), $"{subject.Name}: the second map begins at 0x{slots:x}, not behind the first");
            ulong bus = world.Alias(0);
            ulong bridge = world.Alias(1);
            ulong nowhere = world.Alias(2);

            // Normal page: slot of its place, or physical plus offset.
            One(world, 3, valid | 77, valid | 77 | layout.DmaMappedBit, slots + 0x3000);
            One(bare, 3, valid | 77, valid | 77 | layout.DmaMappedBit, (77UL << 12) + 0x4000);

            // Bus: physical plus the provider's offset, whether or not there is an IOMMU.
            One(world, 3, valid | bus, valid | bus | layout.DmaMappedBit | layout.P2pDmaBusBit, (bus << 12) + World.BusOffset);
            One(bare, 3, valid | bus, valid | bus | layout.DmaMappedBit | layout.P2pDmaBusBit, (bus << 12) + World.BusOffset);

            // Through the host bridge: as normal memory, marked P2PDMA.
            One(world, 5, valid | bridge, valid | bridge | layout.DmaMappedBit | layout.P2pDmaBit, slots + 0x5000);
            One(bare, 5, valid | bridge, valid | bridge | layout.DmaMappedBit | layout.P2pDmaBit, (bridge << 12) + 0x4000);

            // Not supported: an error, and P2PDMA clear.
            One(world, 3, valid | nowhere, valid | nowhere, ulong.MaxValue);
            One(world, 3, valid | nowhere | layout.P2pDmaBit, valid | nowhere, ulong.MaxValue);

            // Mapped already and not by bus: the address it has. Not valid: none.
            One(world, 9, valid | 77 | layout.DmaMappedBit, valid | 77 | layout.DmaMappedBit, slots + 0x9000);
            One(world, 9, 0, 0, ulong.MaxValue);

            // Unmap wants VALID and DMA_MAPPED; a bus page only loses its flags.
            Unmap(world, valid | 77 | layout.DmaMappedBit, valid | 77, 1);
            Unmap(world, valid | bus | layout.DmaMappedBit | layout.P2pDmaBusBit, valid | bus, 1);
            Unmap(world, valid | 77, valid | 77, 0);
            Unmap(world, 77 | layout.DmaMappedBit, 77 | layout.DmaMappedBit, 0);

            // Refused outright: syncing, and bouncing.
            Refuses(subject, new DmaDeviceOptions { NeedsSync = true }, HmmStatus.NotSupported);
            Refuses(subject, new DmaDeviceOptions { UsesIommu = false, MaskBits = 20 }, HmmStatus.NotSupported);
            Refuses(subject, new DmaDeviceOptions { MaskBits = 20, IovaStart = 0x1000 }, HmmStatus.OutOfMemory);

            // Memory without struct pages.
            Provider(world, P2PdmaMapType.BusAddr, 0x8_0000_0000 + World.BusOffset, HmmStatus.Ok);
            Provider(world, P2PdmaMapType.ThruHostBridge, slots + 0x1000, HmmStatus.Ok);
            Provider(world, P2PdmaMapType.NotSupported, ulong.MaxValue, HmmStatus.Fault);
            Provider(bare, P2PdmaMapType.BusAddr, 0x8_0000_0000 + World.BusOffset, HmmStatus.Ok);
            Provider(bare, P2PdmaMapType.ThruHostBridge, 0x8_0000_4000, HmmStatus.Ok);

            // The third page's last byte is the last that the device can drive; one page on it is not.
            using World narrow = new(layout, subject, new DmaDeviceOptions { UsesIommu = false, OffsetBytes = 0x4000, MaskBits = 24 }, 1);
            var addresses = new DmaAddress[3];
            P2pProvider through = new(new DeviceId(0), P2PdmaMapType.ThruHostBridge, 0);
            PolicyInvariants.Require(narrow.Map!.MapProvider(0, through, 0xFF_9000, addresses) == HmmStatus.Ok && addresses[2].Value == 0xFF_F000, $"{narrow.Name}: {addresses[2]}");
            PolicyInvariants.Require(narrow.Map.UnmapProvider(0, addresses) == 3 && addresses[2].IsError, $"{narrow.Name}: not unmapped");
            PolicyInvariants.Require(narrow.Map.MapProvider(0, through, 0xFF_A000, addresses) == HmmStatus.Fault && addresses[0].IsError, $"{narrow.Name}: {addresses[0]} past the mask");
            PolicyInvariants.Require(narrow.Map.Counters is { Mapped: 3, Unmapped: 3, Failed: 3 }, $"{narrow.Name}: {narrow.Map.Counters}");
        }
    }

    private static void One(World world, int entry, ulong word, ulong expectedWord, ulong expectedAddress)
    {
        HmmPfn[] words = [new HmmPfn(word)];
        var addresses = new DmaAddress[1];
        HmmStatus status = world.Map!.Map(entry, words, addresses);
        HmmStatus expected = expectedAddress == ulong.MaxValue && word != 0 ? HmmStatus.Fault : HmmStatus.Ok;
        PolicyInvariants.Require(
            status == expected && words[0].Raw == expectedWord && addresses[0].Value == expectedAddress,
            $"{world.Name}: 0x{word:x} became {words[0]} at {addresses[0]} with {status}, not 0x{expectedWord:x} at 0x{expectedAddress:x}");
    }

    private static void Unmap(World world, ulong word, ulong expectedWord, int expected)
    {
        HmmPfn[] words = [new HmmPfn(word)];
        int unmapped = world.Map!.Unmap(0, words);
        PolicyInvariants.Require(unmapped == expected && words[0].Raw == expectedWord, $"{world.Name}: unmapping 0x{word:x} gave {unmapped} and {words[0]}");
    }

    private static void Refuses(Subject subject, DmaDeviceOptions options, HmmStatus expected)
    {
        using IMemorySystem memory = subject.Make(new MemorySystemOptions { SystemFrameCount = 300, Window = new VpnRange(new Vpn(0), 512) });
        HmmStatus status = World.NewDevice(memory, options).TryCreateMap(300, out IHmmDmaMap? map);
        map?.Dispose();
        PolicyInvariants.Require(status == expected && map is null, $"{subject.Name}: a map for {options} gave {status}, not {expected}");
    }

    private static void Provider(World world, P2PdmaMapType type, ulong expected, HmmStatus expectedStatus)
    {
        var addresses = new DmaAddress[3];
        ulong lookups = world.Map!.Counters.P2pLookups;
        HmmStatus status = world.Map.MapProvider(1, new P2pProvider(new DeviceId(0), type, (long)World.BusOffset), 0x8_0000_0000, addresses);
        bool follow = expected == ulong.MaxValue ? addresses[2].IsError : addresses[2].Value == expected + 0x2000;
        PolicyInvariants.Require(
            status == expectedStatus && addresses[0].Value == expected && follow && world.Map.Counters.P2pLookups == lookups + 1,
            $"{world.Name}: a provider's pages ({type}) gave {status} at {addresses[0]}, not 0x{expected:x}");
    }

    private sealed class World : IDisposable
    {
        public const ulong BusOffset = 0x5000_0000;

        private readonly IMemorySystem _memory;
        private readonly HmmPfnLayout _layout;
        private readonly ulong[] _firstFrames;

        public World(HmmPfnLayout layout, Subject subject, DmaDeviceOptions options, int seed)
        {
            Seed = seed;
            Name = subject.Name;
            _layout = layout;
            _memory = subject.Make(new MemorySystemOptions { SystemFrameCount = 2000, Window = new VpnRange(new Vpn(0), 512), Layout = layout });
            P2PdmaMapType[] types = [P2PdmaMapType.BusAddr, P2PdmaMapType.ThruHostBridge, P2PdmaMapType.NotSupported];
            List<ProviderReach> reaches = [];
            List<ulong> frames = [];
            foreach (P2PdmaMapType type in types)
            {
                DeviceId gpu = _memory.AddDevice(new DeviceOptions { Name = type.ToString(), PageCount = 600, Owner = new OwnerId(1) });
                DeviceId bar = _memory.AddDevice(new DeviceOptions { Name = type + ".bar", PageCount = 600, Owner = OwnerId.Null, Kind = DeviceMemoryKind.PciP2pdma });
                Pfn first = _memory.DeviceFrames(gpu).First;
                Pfn alias = _memory.DeviceFrames(bar).First;
                reaches.Add(new ProviderReach
                {
                    P2p = new P2PdmaAnswer(type, 4),
                    Window = AliasWindow.Create(first, 600, alias, 600, 1, (long)BusOffset),
                });
                reaches.Add(default);
                frames.Add(first.Value);
                frames.Add(alias.Value);
            }

            DeviceId coherent = _memory.AddDevice(new DeviceOptions { Name = "coherent", PageCount = 600, Owner = OwnerId.Null, Kind = DeviceMemoryKind.Coherent });
            frames.Add(_memory.DeviceFrames(coherent).First.Value);
            _firstFrames = [.. frames];
            IDmaDevice device = NewDevice(_memory, options);
            device.Client.Reach = new ClientReach(reaches.ToArray());
            _ = device.TryCreateMap(30, out _);
            _ = device.TryCreateMap(Words + 40, out IHmmDmaMap? map);
            Map = map;
        }

        public int Seed { get; }

        public string Name { get; }

        public IHmmDmaMap? Map { get; }

        public static IDmaDevice NewDevice(IMemorySystem memory, DmaDeviceOptions options) => memory is MemorySystem
            ? new DmaDevice(memory, new HmmClient("nic"), options)
            : new ReferenceDmaDevice(memory, new HmmClient("nic"), options);

        public ulong Alias(int provider) => _firstFrames[(2 * provider) + 1] + 5;

        public bool IsPrivate(HmmPfn word) =>
            _layout.IsValid(word) && _memory.DeviceOf(_layout.PfnOf(word)) is { } device && _memory.KindOf(device) == DeviceMemoryKind.Private;

        /// <summary>Runs of alias pages of one pagemap, other pages between them not ending a run; words that keep their mapping are not looked up.</summary>
        public int CountRuns(HmmPfn[] words)
        {
            DeviceId? last = null;
            int runs = 0;
            foreach (HmmPfn word in words)
            {
                bool isKept = (word.Raw & _layout.DmaMappedBit) != 0 && (word.Raw & _layout.P2pDmaBusBit) == 0;
                if (!_layout.IsValid(word) || isKept || _memory.DeviceOf(_layout.PfnOf(word)) is not { } device || _memory.KindOf(device) != DeviceMemoryKind.PciP2pdma)
                {
                    continue;
                }

                runs += device != last ? 1 : 0;
                last = device;
            }

            return runs;
        }

        public HmmPfn Word(Random random, int style, HmmPfn before)
        {
            if (random.Next(style == 0 ? 3 : 40) != 0 && _layout.IsValid(before) && (_layout.PfnOf(before).Value & 0x1ff) < 500)
            {
                return new HmmPfn(before.Raw + 1);
            }

            ulong frame = random.Next(style == 1 ? 3 : 8) switch
            {
                < 3 => 1 + (ulong)random.Next(1900),
                3 => _firstFrames[^1] + (ulong)random.Next(400),
                7 when random.Next(40) == 0 => _firstFrames[2 * random.Next(3)] + (ulong)random.Next(400),
                _ => Alias(random.Next(3)) + (ulong)random.Next(400),
            };
            ulong flags = random.Next(6) == 0 ? (ulong)random.NextInt64() & _layout.StickyMask : 0;
            return new HmmPfn(frame | flags | (random.Next(12) == 0 ? 0 : _layout.ValidBit) | (random.Next(2) == 0 ? _layout.WriteBit : 0));
        }

        public void Dispose()
        {
            Map?.Dispose();
            _memory.Dispose();
        }
    }
}
