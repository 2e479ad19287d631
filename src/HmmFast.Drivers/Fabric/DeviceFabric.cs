using HmmFast.Drivers.Moving;
using HmmFast.Policies;
using HmmFast.Topology;

namespace HmmFast.Drivers.Fabric;

/// <summary>
/// The devices of a machine at run time: it registers their pagemaps and alias pagemaps, gives owners by the policy's rule, keeps every client's
/// view of whom it reaches, and carries changes through: a link up or down, a device plugged or unplugged, a window's chunk mapped or not.
/// </summary>
/// <remarks>
/// A change first becomes visible (to calls that begin from then on) and then revokes what rested on the state before it: the pages concerned are
/// invalidated in every address space, so that no importer keeps using them. When the call returns, the change is complete.
/// Members and links are named by their index in the plan; one that is not there is misuse and throws where it is looked
/// up. Cost of a change: a new snapshot for every client (a look at each pair of members and the links between them), then a walk over every address space
/// for each member whose pages are revoked. Source: no kernel has all of it; the registry of owners follows <c>drm_pagemap</c>'s, reach follows
/// <c>pci_p2pdma_distance</c>, and that a change is visible first and revokes then is what the proposals' discussion asks of one.
/// Not safe for concurrent calls.
/// </remarks>
public sealed partial class DeviceFabric
{
    private readonly MemberState[] _members;
    private readonly bool[] _linkIsUp;
    private readonly bool[] _permits;
    private readonly CliqueOwners _cliques;
    private readonly PageMover _mover;
    private readonly Dictionary<DeviceId, BarExporter> _exporters = [];
    private FabricCounters _counters;

    // A pagemap could not be evicted when its owner changed, so that it is not registered under its clique's yet.
    private bool _hasOpenOwners;

    /// <summary>Registers the plan's devices with a memory system.</summary>
    /// <param name="memory">The memory system.</param>
    /// <param name="plan">The machine.</param>
    /// <param name="policy">Whose rule for owners holds.</param>
    /// <exception cref="ArgumentException">The plan is not consistent, or the memory system refuses a device.</exception>
    public DeviceFabric(IMemorySystem memory, FabricPlan plan, IHmmPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(memory);
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(policy);
        plan.Validate();
        Memory = memory;
        Plan = plan;
        Policy = policy;
        int count = plan.Members.Count;
        _members = new MemberState[count];
        _linkIsUp = new bool[plan.Links.Count];
        _permits = new bool[count * count];
        _mover = new PageMover(memory);
        uint highest = 0;
        for (int i = 0; i < count; i++)
        {
            _members[i] = new MemberState(new HmmClient(plan.Members[i].Name));
            highest = Math.Max(highest, plan.Members[i].Owner.Value);
            for (int client = 0; client < count; client++)
            {
                _permits[(i * count) + client] = plan.Permits(i, client);
            }
        }

        for (int i = 0; i < _linkIsUp.Length; i++)
        {
            _linkIsUp[i] = plan.Links[i].IsUpAtStart;
        }

        // Owners of cliques are other numbers than any that is configured.
        _cliques = new CliqueOwners(highest + 1);
        foreach (int member in ProbeOrder)
        {
            if (plan.Members[member].IsPluggedAtStart)
            {
                _members[member].IsPlugged = true;
                _members[member].Owner = FirstOwner(member);
            }
        }

        for (int member = 0; member < count; member++)
        {
            if (_members[member].IsPlugged)
            {
                Register(member);
            }
        }

        Publish();
    }

    /// <summary>The memory system.</summary>
    public IMemorySystem Memory { get; }

    /// <summary>The machine.</summary>
    public FabricPlan Plan { get; }

    /// <summary>Whose rule for owners holds.</summary>
    public IHmmPolicy Policy { get; }

    /// <summary>What changes have cost so far.</summary>
    public FabricCounters Counters => _counters;

    /// <summary>Members, plugged or not.</summary>
    public int Count => _members.Length;

    private IEnumerable<int> ProbeOrder => Plan.ProbeOrder.Count != 0 ? Plan.ProbeOrder : Enumerable.Range(0, Count);

    /// <summary>A member as an importer: the same object for the fabric's life.</summary>
    /// <param name="member">The member.</param>
    public HmmClient ClientOf(int member) => _members[member].Client;

    /// <summary>The owner a member brings to its range faults.</summary>
    /// <param name="member">The member.</param>
    public OwnerId OwnerOf(int member) => _members[member].Owner;

    /// <summary>The owner to ask with for a range that several members are to use: the one they share, else NULL, which brings every private page to system memory.</summary>
    /// <param name="members">The members; at least one.</param>
    /// <exception cref="ArgumentException">There is none.</exception>
    public OwnerId OwnerOfAll(ReadOnlySpan<int> members)
    {
        if (members.IsEmpty)
        {
            throw new ArgumentException("No member is named, so there is no owner to ask with.", nameof(members));
        }

        OwnerId owner = OwnerOf(members[0]);
        foreach (int member in members)
        {
            owner = OwnerOf(member) == owner ? owner : OwnerId.Null;
        }

        return owner;
    }

    /// <summary>A member's pagemap now; null without memory, or unplugged to the end.</summary>
    /// <param name="member">The member.</param>
    public DeviceId? DeviceOf(int member) => _members[member].Device;

    /// <summary>A member's alias pagemap now; null without a window, or unplugged to the end.</summary>
    /// <param name="member">The member.</param>
    public DeviceId? AliasDeviceOf(int member) => _members[member].AliasDevice;

    /// <summary>Who maps the private pages of a pagemap for importers, unregistered pagemaps included; null for pagemaps that are no member's memory.</summary>
    /// <param name="device">The pagemap.</param>
    public BarExporter? ExporterOf(DeviceId device) => _exporters.GetValueOrDefault(device);

    /// <summary>A member's window now; null without one.</summary>
    public AliasWindow? WindowOf(int member) => _members[member].Window;

    /// <summary>True while the member is there.</summary>
    public bool IsPlugged(int member) => _members[member].IsPlugged;

    /// <summary>True while the link carries traffic: it is up and both of its ends are there.</summary>
    public bool IsLinkUp(int link) =>
        _linkIsUp[link] && _members[Plan.Links[link].From].IsPlugged && _members[Plan.Links[link].To].IsPlugged;

    /// <summary>The member whose pagemap or alias pagemap holds a frame; -1 for system frames and pagemaps of others. Cost: a look at each member.</summary>
    /// <param name="pfn">The frame.</param>
    public int MemberOf(Pfn pfn)
    {
        for (int member = 0; member < _members.Length; member++)
        {
            MemberState state = _members[member];
            if ((state.Device is { } device && Holds(device, pfn)) || (state.AliasDevice is { } alias && Holds(alias, pfn)))
            {
                return member;
            }
        }

        return -1;
    }

    /// <summary>The index of a member by name; -1 when there is none. Cost: a comparison a member.</summary>
    /// <param name="name">The name, in the plan's case.</param>
    public int Find(string name)
    {
        for (int member = 0; member < Count; member++)
        {
            if (Plan.Members[member].Name == name)
            {
                return member;
            }
        }

        return -1;
    }

    /// <summary>Whether two members have an interconnect now, by a rule: a private link that is up, or PCI traffic towards each one's memory.</summary>
    /// <param name="left">A member.</param>
    /// <param name="right">A member; the same one is connected.</param>
    /// <param name="rule">What counts.</param>
    /// <remarks>Cost: a look at each link of the plan and, for PCI, its answer for both directions.</remarks>
    public bool AreConnected(int left, int right, InterconnectRule rule)
    {
        if (left == right)
        {
            return true;
        }

        if (!_members[left].IsPlugged || !_members[right].IsPlugged)
        {
            return false;
        }

        if (FindLink(left, right, mustBeUp: true) >= 0)
        {
            return true;
        }

        if (rule == InterconnectRule.Link)
        {
            return false;
        }

        bool leftExports = Plan.Members[left].MemoryPageCount != 0;
        bool rightExports = Plan.Members[right].MemoryPageCount != 0;
        bool leftIsReached = Plan.P2p(left, right).Distance >= 0;
        bool rightIsReached = Plan.P2p(right, left).Distance >= 0;
        return leftExports || rightExports
            ? (!leftExports || leftIsReached) && (!rightExports || rightIsReached)
            : leftIsReached && rightIsReached;
    }

    /// <summary>Unordered pairs, at least one with memory, that have an interconnect now but different owners: what sorting into cliques has cost.</summary>
    /// <remarks>0 under rules that form no cliques. Cost: each pair of members.</remarks>
    public int CountPairsLostToCliques()
    {
        if (Policy.Owners is OwnerRule.AsConfigured or OwnerRule.Bitmap)
        {
            return 0;
        }

        int lost = 0;
        for (int left = 0; left < Count; left++)
        {
            for (int right = left + 1; right < Count; right++)
            {
                bool exports = Plan.Members[left].MemoryPageCount != 0 || Plan.Members[right].MemoryPageCount != 0;
                lost += exports && AreConnected(left, right, EffectiveRule) && OwnerOf(left) != OwnerOf(right) ? 1 : 0;
            }
        }

        return lost;
    }

    // Owners that follow links at run time mean one segment of a private interconnect; owners formed once take the plan's rule.
    private InterconnectRule EffectiveRule =>
        Policy.Owners == OwnerRule.Cliques ? Plan.Interconnect : InterconnectRule.Link;

    private bool Holds(DeviceId device, Pfn pfn)
    {
        (Pfn first, ulong count) = Memory.DeviceFrames(device);
        return pfn.Value - first.Value < count;
    }

    private OwnerId FirstOwner(int member) => Policy.Owners switch
    {
        OwnerRule.AsConfigured => Plan.Members[member].Owner,
        OwnerRule.Bitmap => new OwnerId((uint)member + 1),
        _ => _cliques.Join(member, (left, right) => AreConnected(left, right, EffectiveRule)),
    };

    private void Register(int member)
    {
        FabricMember plan = Plan.Members[member];
        MemberState state = _members[member];
        if (plan.MemoryPageCount == 0)
        {
            return;
        }

        DeviceId device = Memory.AddDevice(new DeviceOptions
        {
            Name = plan.Name,
            PageCount = plan.MemoryPageCount,
            Owner = state.Owner,
            Kind = plan.Kind,
        });
        state.Device = device;
        _exporters.Add(device, new BarExporter(device));
        if (plan.WindowPageCount == 0)
        {
            return;
        }

        DeviceId alias = Memory.AddDevice(new DeviceOptions
        {
            Name = plan.Name + ".bar",
            PageCount = plan.WindowPageCount,
            Owner = OwnerId.Null,
            Kind = DeviceMemoryKind.PciP2pdma,
        });
        state.AliasDevice = alias;
        (Pfn first, ulong count) = Memory.DeviceFrames(device);
        (Pfn firstAlias, ulong aliasCount) = Memory.DeviceFrames(alias);
        state.Window = AliasWindow.Create(first, count, firstAlias, aliasCount, plan.ChunkPageCount, plan.BusOffsetBytes);
    }

    private int FindLink(int left, int right, bool mustBeUp)
    {
        int best = -1;
        for (int link = 0; link < Plan.Links.Count; link++)
        {
            FabricLink candidate = Plan.Links[link];
            bool joins = (candidate.From == left && candidate.To == right) || (candidate.From == right && candidate.To == left);
            if (joins && (!mustBeUp || IsLinkUp(link)) && (best < 0 || candidate.Path > Plan.Links[best].Path))
            {
                best = link;
            }
        }

        return best;
    }

    /// <summary>Gives every client its new view, one whole snapshot each.</summary>
    private void Publish()
    {
        ProviderReach[] providers = new ProviderReach[Memory.DeviceCount];
        for (int client = 0; client < Count; client++)
        {
            Array.Clear(providers);
            for (int provider = 0; provider < Count; provider++)
            {
                if (_members[provider].Device is { } device && _members[client].IsPlugged)
                {
                    providers[device.Index] = ReachOf(provider, client);
                }
            }

            _members[client].Client.Reach = new ClientReach(providers);
        }
    }

    private ProviderReach ReachOf(int provider, int client)
    {
        bool isOwn = provider == client;
        int link = isOwn ? -1 : FindLink(provider, client, mustBeUp: true);
        P2PdmaAnswer answer = Plan.P2p(provider, client);
        return new ProviderReach
        {
            P2p = answer,
            LinkIsUp = isOwn || link >= 0,
            IsOwnDevice = isOwn,
            IsPermitted = _permits[(provider * Count) + client],
            BitmapAllows = Policy.Owners == OwnerRule.Bitmap && AreConnected(provider, client, InterconnectRule.Link),
            LinkPath = link >= 0 ? Plan.Links[link].Path : default,
            P2pPath = answer.Distance >= 0 ? Plan.P2pPath(provider, client) : default,
            Window = _members[provider].Window,
        };
    }

    private sealed class MemberState(HmmClient client)
    {
        public HmmClient Client { get; } = client;

        public bool IsPlugged { get; set; }

        public OwnerId Owner { get; set; }

        public DeviceId? Device { get; set; }

        public DeviceId? AliasDevice { get; set; }

        public AliasWindow? Window { get; set; }
    }
}
