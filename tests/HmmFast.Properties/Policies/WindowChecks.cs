using HmmFast.Drivers.Moving;
using HmmFast.Policies;
using HmmFast.Properties.Equivalence;
using HmmFast.Topology;

namespace HmmFast.Properties.Policies;

/// <summary>
/// Windows that show only some of a pagemap's pages: engine equals reference in words and in runs, the policy is asked per kind of page, never per page, and owners
/// and reach that change in the middle of a call change nothing of it.
/// </summary>
public static class WindowChecks
{
    private const int PageCount = 1400;

    // Six forms of request, offered or not, and two devices' kinds of private entry: writable or not, protected, written since the last look.
    private const int MostQuestions = 6 * 2 * 2 * 8;

    private static readonly VpnRange Pages = new(new Vpn(1024 - 200), PageCount);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<NamedCheck> All { get; } =
    [
        new NamedCheck("windows", "windows that show some pages: engine (every width) equals reference, in words and runs, asks the policy per kind of page, never per page, and keeps its view while owners and reach change", 96, Run),
    ];

    private static void Run(CheckRun run)
    {
        for (int i = 0; i < run.Count; i++)
        {
            try
            {
                One(new Random(unchecked((run.Seed * 7901) + i)), Subject.Engines[i % Subject.Engines.Count], PolicyCatalog.All[i / Subject.Engines.Count % PolicyCatalog.All.Count]);
            }
            catch (CheckFailedException failure)
            {
                throw new CheckFailedException($"{failure.Message}\ncase {i} of seed {run.Seed}", failure);
            }
        }
    }

    private static void One(Random random, Subject subject, IHmmPolicy policy)
    {
        int seed = random.Next();
        using World left = new(Subject.Reference, policy, new Random(seed));
        using World right = new(subject, policy, new Random(seed));
        for (int call = 0; call < 8; call++)
        {
            int callSeed = random.Next();
            bool faults = call >= 4;
            ulong[] expected = left.Fault(new Random(callSeed), faults);
            int before = right.Questions;
            ulong[] got = right.Fault(new Random(callSeed), faults);
            PolicyInvariants.Require(expected.Length == got.Length, $"{subject.Name}, {policy.Name}: {got.Length} answers, the reference gives {expected.Length}");
            for (int i = 0; i < got.Length; i++)
            {
                PolicyInvariants.Require(expected[i] == got[i], $"{subject.Name}, {policy.Name}, call {call}: answer {i} is 0x{got[i]:x}, the reference says 0x{expected[i]:x}");
            }

            // Faults make kinds of pages, and with them a table more.
            int asked = right.Questions - before;
            PolicyInvariants.Require(
                asked <= (call == 0 || faults ? MostQuestions * (faults ? 4 : 1) : 0), $"{subject.Name}, {policy.Name}, call {call}: the policy was asked {asked} times for {PageCount} pages");
        }
    }

    private sealed class World : IDisposable
    {
        private readonly IMemorySystem _memory;
        private readonly IAddressSpace _space;
        private readonly IMmuIntervalNotifier _notifier;
        private readonly HmmClient _client = new("nic");
        private readonly Counting _policy;
        private readonly Upset _upset;
        private readonly DeviceId _gpu;

        public World(Subject subject, IHmmPolicy policy, Random random)
        {
            _policy = new Counting(policy);
            HmmPfnLayout layout = policy.TypedOutput || random.Next(2) == 0 ? HmmPfnLayout.Linux616Typed : HmmPfnLayout.Linux616AllowP2p;
            _memory = subject.Make(new MemorySystemOptions { SystemFrameCount = 2 * PageCount, Window = new VpnRange(new Vpn(512), 2560), Layout = layout });
            DeviceId gpu = _memory.AddDevice(new DeviceOptions { Name = "gpu", PageCount = PageCount, Owner = new OwnerId(1 + (uint)random.Next(2)) });
            _gpu = gpu;
            _upset = new Upset(this, random.Next());
            ulong chunk = 1UL << random.Next(9);
            ulong slots = 1 + (ulong)random.Next(1 + (int)(PageCount / chunk));
            DeviceId bar = _memory.AddDevice(new DeviceOptions { Name = "bar", PageCount = slots * chunk, Owner = OwnerId.Null, Kind = DeviceMemoryKind.PciP2pdma });
            AliasWindow window = AliasWindow.Create(
                _memory.DeviceFrames(gpu).First, PageCount, _memory.DeviceFrames(bar).First, slots * chunk, chunk, mapAll: random.Next(2) == 0);
            for (ulong change = 0; change < slots; change++)
            {
                int which = random.Next(window.ChunkCount);
                window = random.Next(3) == 0 ? window.WithoutChunk(which) : window.TryMapChunk(which, out AliasWindow more) == HmmStatus.Ok ? more : window;
            }

            DeviceId other = _memory.AddDevice(new DeviceOptions { Name = "other", PageCount = PageCount, Owner = new OwnerId(3), Ops = _upset });
            _client.Reach = Reach(random, window);
            _space = _memory.CreateAddressSpace();
            _ = _space.Map(Pages, Protection.ReadWrite, MappingKind.PrivateAnonymous, FileId.None, 0);
            Place(gpu, other, random);
            _notifier = _space.InsertNotifier(Pages, _upset);
        }

        public int Questions => _policy.Questions;

        /// <summary>One call; its status, the words, and for calls that change nothing the same in runs.</summary>
        public ulong[] Fault(Random random, bool faults)
        {
            HmmPfnLayout layout = _memory.Options.Layout;
            ulong first = (ulong)random.Next(PageCount / 2);
            VpnRange range = new(Pages.Start + first, 1 + (ulong)random.Next(PageCount - (int)first));
            bool perPage = random.Next(2) == 0;
            var words = new HmmPfn[range.PageCount];
            ulong asked = 0;
            for (int i = 0; i < words.Length; i++)
            {
                // Requests in runs, as an importer that answers page by page makes them, with flags that stick.
                asked = i == 0 || random.Next(20) == 0 ? layout.Encode((HmmRequestFlags)random.Next(8)) : asked;
                words[i] = new HmmPfn(asked | ((ulong)random.NextInt64() & layout.StickyMask));
            }

            HmmRequestFlags some = faults ? HmmRequestFlags.All : HmmRequestFlags.Write | HmmRequestFlags.AllowP2p;
            HmmRange request = new()
            {
                Range = range,
                Notifier = _notifier,
                NotifierSequence = _notifier.ReadBegin(),
                DefaultFlags = (HmmRequestFlags)random.Next(8) & some,
                PfnFlagsMask = perPage ? (HmmRequestFlags)random.Next(8) & some : HmmRequestFlags.None,
                Owner = new OwnerId(2),
                FaultHabit = random.Next(2) == 0 ? FaultHabit.RunForward : FaultHabit.OnlyAsked,
                Policy = _policy,
                Client = _client,
            };
            _upset.IsOn = true;
            HmmStatus status = _space.RangeFault(request, words);
            _upset.IsOn = false;
            List<ulong> answers = [(ulong)status, .. words.Select(word => word.Raw)];
            if (!faults)
            {
                answers.AddRange(Runs(request with { PfnFlagsMask = HmmRequestFlags.None, IgnoresWords = true }));
            }

            return [.. answers];
        }

        public void Dispose()
        {
            _notifier.Dispose();
            _space.Dispose();
            _memory.Dispose();
        }

        private static ClientReach Reach(Random random, AliasWindow window)
        {
            bool link = random.Next(2) == 0;
            return new ClientReach([new ProviderReach
            {
                P2p = new P2PdmaAnswer((P2PdmaMapType)(1 + random.Next(3)), 4),
                LinkIsUp = link,
                IsPermitted = random.Next(4) != 0,
                BitmapAllows = random.Next(2) == 0,
                LinkPath = link ? new PathEstimate(random.Next(2) == 0 ? 150e9 : 10e9, 1000) : default,
                P2pPath = new PathEstimate(26e9, 1300),
                Window = window,
            }]);
        }

        /// <summary>The engine's answer in runs, written out; the reference has none, and gives its words.</summary>
        private ulong[] Runs(HmmRange request)
        {
            HmmPfnLayout layout = _memory.Options.Layout;
            var words = new HmmPfn[request.Range.PageCount];
            if (_space is not IColumnAddressSpace columns)
            {
                _ = _space.RangeFault(request, words);
                return [.. words.Select(word => word.Raw)];
            }

            var starts = new uint[words.Length];
            var firsts = new HmmPfn[words.Length];
            HmmStatus status = columns.RangeFaultExtents(request, starts, firsts, out int count, out ulong covered);
            PolicyInvariants.Require(status == HmmStatus.Ok && covered == request.Range.PageCount, $"{status} after {covered} pages in runs");
            for (int run = 0; run < count; run++)
            {
                ulong step = layout.IsValid(firsts[run]) ? 1UL : 0;
                ulong end = run + 1 < count ? starts[run + 1] : covered;
                for (ulong page = starts[run]; page < end; page++)
                {
                    words[page] = new HmmPfn(firsts[run].Raw + ((page - starts[run]) * step));
                }
            }

            return [.. words.Select(word => word.Raw)];
        }

        /// <summary>Most pages on the device, in runs whose frames lie in another order than the pages; some pages read-only, some on another device, some left in system memory.</summary>
        private void Place(DeviceId gpu, DeviceId other, Random random)
        {
            PageMover mover = new(_memory);
            List<VpnRange> runs = [];
            for (ulong at = 0; at < PageCount;)
            {
                ulong length = Math.Min(PageCount - at, 1 + (ulong)random.Next(random.Next(2) == 0 ? 5 : 200));
                runs.Add(new VpnRange(Pages.Start + at, length));
                at += length;
            }

            _ = _space.CpuWrite(Pages, 1, 1, []);
            foreach (VpnRange run in runs.OrderBy(_ => random.Next()).ToArray())
            {
                if (random.Next(10) != 0)
                {
                    _ = mover.ToDevice(_space, run, random.Next(12) == 0 ? other : gpu, out _);
                }

                if (random.Next(6) == 0)
                {
                    _ = _space.Protect(run, Protection.Read);
                    _ = _space.Protect(run, Protection.ReadWrite);
                }
            }
        }

        /// <summary>Changes owner or reach with each page that comes back in a call, and keeps the notifier's sequence as it is, so that the call goes on.</summary>
        private sealed class Upset(World world, int seed) : IDevicePagemapOps, IInvalidationHandler
        {
            private readonly Random _random = new(seed);

            public bool IsOn { get; set; }

            public bool Invalidate(IMmuIntervalNotifier notifier, in InvalidationInfo info) => false;

            public void MigratedToRam(IAddressSpace space, Vpn vpn, Pfn devicePage, Pfn systemPage)
            {
                if (!IsOn || _random.Next(3) != 0)
                {
                    return;
                }

                if (_random.Next(2) == 0)
                {
                    world._memory.SetOwner(world._gpu, new OwnerId(1 + (uint)_random.Next(3)));
                }
                else
                {
                    world._client.Reach = Reach(_random, world._client.Reach.Of(world._gpu).Window!);
                }
            }

            public void PageFreed(Pfn devicePage)
            {
            }
        }
    }

    /// <summary>A policy that counts how often it is asked. It keeps the name, so that the reference answers from its own table.</summary>
    private sealed class Counting(IHmmPolicy inner) : IHmmPolicy
    {
        public int Questions { get; private set; }

        public string Name => inner.Name;

        public bool TypedOutput => inner.TypedOutput;

        public ForeignPageAnswer Decide(in ForeignPageQuestion question)
        {
            Questions++;
            return inner.Decide(question);
        }
    }
}
