using HmmFast.Drivers.Moving;
using HmmFast.Policies;
using HmmFast.Properties.Equivalence;
using HmmFast.Topology;

namespace HmmFast.Properties.Policies;

/// <summary>What holds of one range fault call as a whole: one view of links, windows and owners, and questions to the policy by kind of page.</summary>
public static class CallExamples
{
    private static readonly VpnRange Pages = new(new Vpn(1024 - 8), 16);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<NamedCheck> All { get; } =
    [
        new NamedCheck("one-view-a-call", "a link that goes down during a call is seen by all of its pages or by none", 1, _ => PolicyExamples.Each(OneViewOfLinks)),
        new NamedCheck("one-view-of-owners", "an owner that changes during a call is seen by all of its pages or by none", 1, _ => PolicyExamples.Each(OneViewOfOwners)),
        new NamedCheck("one-view-of-windows", "a window that goes during a call is seen by all of its pages or by none", 1, _ => PolicyExamples.Each(OneViewOfWindows)),
        new NamedCheck("checks-per-class", "a policy is asked a number of times that does not depend on the number of pages, whatever the window shows", 1, _ => ChecksPerClass()),
    ];

    private static void OneViewOfLinks(Subject subject) => OneView(
        subject, new OwnerAndLivePolicy(), new OwnerId(1), new ProviderReach { LinkIsUp = true }, static (_, client, _) => client.Reach = ClientReach.Nothing, static (memory, gpu) => memory.DeviceFrames(gpu));

    private static void OneViewOfOwners(Subject subject)
    {
        OneView(
            subject, OwnerOnlyPolicy.Instance, new OwnerId(1), default, static (memory, _, gpu) => memory.SetOwner(gpu, new OwnerId(9)), static (memory, gpu) => memory.DeviceFrames(gpu));

        // The other way round, and without a policy by name: who gets the owner during the call has it from the next one on.
        OneView(subject, null, new OwnerId(9), default, static (memory, _, gpu) => memory.SetOwner(gpu, new OwnerId(9)), static (_, _) => (new Pfn(1), 256));
    }

    private static void OneViewOfWindows(Subject subject)
    {
        // Half of the pages have an alias.
        OneView(
            subject,
            new AliasAlwaysPolicy(),
            new OwnerId(7),
            new ProviderReach { P2p = new P2PdmaAnswer(P2PdmaMapType.BusAddr, 4) },
            static (_, client, _) => client.Reach = ClientReach.Nothing,
            static (memory, gpu) => memory.DeviceFrames(new DeviceId(gpu.Index + 1)),
            hasWindow: true);
    }

    /// <summary>
    /// A call over gpu's pages with another device's page among them, whose fault changes the world. The notifier's handler keeps the sequence as it is, so that the call goes
    /// on, and what stands behind the fault must be answered by the view that the call began with.
    /// </summary>
    private static void OneView(
        Subject subject,
        IHmmPolicy? policy,
        OwnerId owner,
        ProviderReach reach,
        Action<IMemorySystem, HmmClient, DeviceId> change,
        Func<IMemorySystem, DeviceId, (Pfn First, ulong Count)> expected,
        bool hasWindow = false)
    {
        using IMemorySystem memory = subject.Make(PolicyExamples.Options());
        Flip flip = new();
        DeviceId gpu = memory.AddDevice(new DeviceOptions { Name = "gpu", PageCount = 64, Owner = new OwnerId(1) });
        DeviceId bar = memory.AddDevice(new DeviceOptions { Name = "bar", PageCount = 64, Owner = OwnerId.Null, Kind = DeviceMemoryKind.PciP2pdma });
        DeviceId other = memory.AddDevice(new DeviceOptions { Name = "other", PageCount = 64, Owner = new OwnerId(2), Ops = flip });
        AliasWindow window = AliasWindow.Create(memory.DeviceFrames(gpu).First, 64, memory.DeviceFrames(bar).First, 32, 4);
        HmmClient client = new("client") { Reach = new ClientReach([reach with { Window = hasWindow ? window : null }, default, default]) };
        flip.Change = () => change(memory, client, gpu);
        using IAddressSpace space = memory.CreateAddressSpace();
        _ = space.Map(Pages, Protection.ReadWrite, MappingKind.PrivateAnonymous, FileId.None, 0);
        _ = space.CpuWrite(Pages, 1, 1, []);
        PageMover mover = new(memory);
        _ = mover.ToDevice(space, new VpnRange(Pages.Start + 7, 1), other, out _);
        _ = mover.ToDevice(space, Pages, gpu, out _);
        using IMmuIntervalNotifier notifier = space.InsertNotifier(Pages, new Deaf());
        var words = new HmmPfn[16];
        HmmStatus status = space.RangeFault(
            new HmmRange
            {
                Range = Pages,
                Notifier = notifier,
                NotifierSequence = notifier.ReadBegin(),
                DefaultFlags = HmmRequestFlags.Fault,
                FaultHabit = FaultHabit.OnlyAsked,
                Owner = owner,
                Policy = policy,
                Client = client,
            },
            words);
        PolicyInvariants.Require(status == HmmStatus.Ok && flip.Count > 0, $"{subject.Name}: the call answered {status} after {flip.Count} changes");
        (Pfn first, ulong count) = expected(memory, gpu);
        for (int i = 0; i < words.Length; i++)
        {
            bool isAsAtFirst = memory.Options.Layout.PfnOf(words[i]).Value - first.Value < count;
            PolicyInvariants.Require(isAsAtFirst == (i != 7 || first.Value == 1), $"{subject.Name}: page {i} was answered by another view than the call began with ({words[i]})");
        }
    }

    private static void ChecksPerClass()
    {
        foreach (Subject subject in Subject.Engines)
        {
            foreach (ulong shown in (ulong[])[0, 32, 2048, 4096])
            {
                int small = Asked(subject, 64, shown);
                int large = Asked(subject, 4096, shown);
                PolicyInvariants.Require(
                    small == large && large is > 0 and <= 96, $"{subject.Name}: with a window of {shown} pages the policy was asked {small} times for 64 pages and {large} times for 4096");
            }
        }
    }

    private static int Asked(Subject subject, ulong pageCount, ulong shown)
    {
        using IMemorySystem memory = subject.Make(new MemorySystemOptions { SystemFrameCount = 8192, Window = new VpnRange(new Vpn(0), 8192), Layout = HmmPfnLayout.Linux616AllowP2p });
        DeviceId gpu = memory.AddDevice(new DeviceOptions { Name = "gpu", PageCount = 4096, Owner = new OwnerId(1) });
        DeviceId bar = memory.AddDevice(new DeviceOptions { Name = "bar", PageCount = 4096, Owner = OwnerId.Null, Kind = DeviceMemoryKind.PciP2pdma });
        AliasWindow? window = shown == 0 ? null : AliasWindow.Create(memory.DeviceFrames(gpu).First, 4096, memory.DeviceFrames(bar).First, shown, 32);
        using IAddressSpace space = memory.CreateAddressSpace();
        VpnRange range = new(new Vpn(512), pageCount);
        _ = space.Map(range, Protection.ReadWrite, MappingKind.PrivateAnonymous, FileId.None, 0);
        _ = space.CpuWrite(range, 1, 1, []);
        _ = new PageMover(memory).ToDevice(space, range, gpu, out _);
        Counting policy = new();
        HmmClient client = new("nic") { Reach = new ClientReach([new ProviderReach { Window = window }]) };
        using IMmuIntervalNotifier notifier = space.InsertNotifier(range, null);
        var words = new HmmPfn[pageCount];
        HmmStatus status = space.RangeFault(
            new HmmRange { Range = range, Notifier = notifier, NotifierSequence = notifier.ReadBegin(), DefaultFlags = HmmRequestFlags.Fault, Policy = policy, Client = client }, words);
        PolicyInvariants.Require(status == HmmStatus.Ok && memory.Options.Layout.IsValid(words[^1]), $"{subject.Name}: {status}");
        return policy.Count;
    }

    /// <summary>An alias where there is one, else the private page.</summary>
    private sealed class Counting : IHmmPolicy
    {
        public string Name => "counting";

        public int Count { get; private set; }

        public ForeignPageAnswer Decide(in ForeignPageQuestion question)
        {
            Count++;
            return question.AliasOffered ? ForeignPageAnswer.Alias() : ForeignPageAnswer.Private();
        }
    }

    private sealed class Deaf : IInvalidationHandler
    {
        public bool Invalidate(IMmuIntervalNotifier notifier, in InvalidationInfo info) => false;
    }

    private sealed class Flip : IDevicePagemapOps
    {
        public Action? Change { get; set; }

        public int Count { get; private set; }

        public void MigratedToRam(IAddressSpace space, Vpn vpn, Pfn devicePage, Pfn systemPage)
        {
            Count++;
            Change!();
        }

        public void PageFreed(Pfn devicePage)
        {
        }
    }
}
