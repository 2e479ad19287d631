using HmmFast.Topology;

namespace HmmFast.Reference.Topology;

/// <summary>
/// The peer-to-peer rule read plainly: two walks up, hop by hop, with nothing prepared. It shares with the
/// engine only the description of a machine, and writes Linux 6.12's host bridge list out for itself.
/// </summary>
public sealed class ReferenceP2PdmaDistance : IP2PdmaDistance
{
    private const int RequestRedirect = 4;
    private const int CompletionRedirect = 8;
    private const int EgressControl = 32;

    private readonly Dictionary<PciAddress, PciFunctionSpec> _functions = [];
    private readonly Dictionary<PciBusAddress, PciHostBridgeSpec> _hostBridges = [];
    private readonly CpuIdentity? _cpu;
    private readonly HostBridgeList? _list;
    private readonly bool _unknownAcsRedirects;
    private readonly bool _unknownHostBridgeAllows;

    /// <summary>Takes a machine as it is described; the description must be one that the engine's builder accepts.</summary>
    /// <param name="hostBridges">The host bridges.</param>
    /// <param name="functions">The functions.</param>
    /// <param name="cpu">The processor; null when unknown.</param>
    /// <param name="list">The host bridge list; null: Linux 6.12's, as written out here.</param>
    /// <param name="unknownAcsRedirects">What to take for true of functions whose ACS is unknown.</param>
    /// <param name="unknownHostBridgeAllows">What to take for true of host bridges of which it is unknown whether they pass traffic.</param>
    /// <exception cref="ArgumentException">An address or a root bus is described twice.</exception>
    public ReferenceP2PdmaDistance(
        IEnumerable<PciHostBridgeSpec> hostBridges,
        IEnumerable<PciFunctionSpec> functions,
        CpuIdentity? cpu,
        HostBridgeList? list = null,
        bool unknownAcsRedirects = false,
        bool unknownHostBridgeAllows = false)
    {
        foreach (PciHostBridgeSpec hostBridge in hostBridges)
        {
            _hostBridges.Add(hostBridge.RootBus, hostBridge);
        }

        foreach (PciFunctionSpec function in functions)
        {
            _functions.Add(function.Address, function);
        }

        _cpu = cpu;
        _list = list;
        _unknownAcsRedirects = unknownAcsRedirects;
        _unknownHostBridgeAllows = unknownHostBridgeAllows;
    }

    /// <inheritdoc/>
    public P2PdmaAnswer Answer(PciAddress provider, PciAddress client)
    {
        PciFunctionSpec a = Find(provider);
        PciFunctionSpec b = Find(client);
        bool redirected = false;
        int hopsA = 0;
        for (PciFunctionSpec? up = a; up is not null; hopsA += 1 + (up.HiddenBridgesAbove ?? 0), up = Upstream(up))
        {
            redirected |= Redirects(up);
            int hopsB = 0;
            bool redirectedB = false;
            for (PciFunctionSpec? other = b; other is not null; other = Upstream(other))
            {
                if (other.Address == up.Address)
                {
                    return redirected || redirectedB
                        ? ThroughHostBridge(a, b, hopsA + hopsB)
                        : new P2PdmaAnswer(P2PdmaMapType.BusAddr, hopsA + hopsB);
                }

                redirectedB |= Redirects(other) || RedirectsUnseen(other);
                hopsB += 1 + (other.HiddenBridgesAbove ?? 0);
            }

            redirected |= RedirectsUnseen(up);
        }

        int hopsToRootOfB = 0;
        for (PciFunctionSpec? other = b; other is not null; other = Upstream(other))
        {
            hopsToRootOfB += 1 + (other.HiddenBridgesAbove ?? 0);
        }

        return ThroughHostBridge(a, b, hopsA + hopsToRootOfB);
    }

    private PciFunctionSpec Find(PciAddress address) =>
        _functions.TryGetValue(address, out PciFunctionSpec? function)
            ? function
            : throw new ArgumentException($"there is no function {address} among the {_functions.Count} of this machine", nameof(address));

    /// <summary>The bridge above; a virtual function looks from its physical one.</summary>
    private PciFunctionSpec? Upstream(PciFunctionSpec function)
    {
        PciFunctionSpec seat = function.PhysicalFunction is PciAddress physical ? Find(physical) : function;
        return seat.Parent is PciAddress parent ? Find(parent) : null;
    }

    private bool Redirects(PciFunctionSpec function)
    {
        if (!function.Acs.IsKnown)
        {
            return _unknownAcsRedirects;
        }

        int control = (int)function.Acs.Control;
        return (control & RequestRedirect) != 0 || (control & CompletionRedirect) != 0 || (control & EgressControl) != 0;
    }

    /// <summary>Bridges above the function that the description does not show.</summary>
    private bool RedirectsUnseen(PciFunctionSpec function) => _unknownAcsRedirects && function.HiddenBridgesAbove is not 0;

    private P2PdmaAnswer ThroughHostBridge(PciFunctionSpec a, PciFunctionSpec b, int hops)
    {
        PciBusAddress rootA = RootBus(a);
        PciBusAddress rootB = RootBus(b);
        bool? allowed = ProcessorAllows();
        if (allowed != true)
        {
            bool? listed = rootA == rootB ? IsListed(rootA, true) : And(IsListed(rootA, false), IsListed(rootB, false));
            allowed = listed == true ? true : listed is null || allowed is null ? null : false;
        }

        return new P2PdmaAnswer(
            allowed ?? _unknownHostBridgeAllows ? P2PdmaMapType.ThruHostBridge : P2PdmaMapType.NotSupported, hops);
    }

    private static bool? And(bool? a, bool? b) => a == false || b == false ? false : a is null || b is null ? null : true;

    private PciBusAddress RootBus(PciFunctionSpec function)
    {
        PciFunctionSpec top = function.PhysicalFunction is PciAddress physical ? Find(physical) : function;
        while (Upstream(top) is PciFunctionSpec above)
        {
            top = above;
        }

        return top.RootBus ?? top.Address.BusAddress;
    }

    private bool? ProcessorAllows()
    {
        if (_list is not null && _list.CpuRules.Length == 0)
        {
            return false;
        }

        if (_cpu is not CpuIdentity cpu)
        {
            return null;
        }

        return _list is null
            ? cpu.Vendor == "AuthenticAMD" && cpu.Family >= 23
            : _list.CpuRules.ToArray().Any(rule => rule.Vendor == cpu.Vendor && cpu.Family >= rule.MinFamily);
    }

    /// <summary>Whether the device that speaks for a root bus is on the list, for traffic that stays below this bridge or leaves it.</summary>
    private bool? IsListed(PciBusAddress rootBus, bool isSameBridge)
    {
        PciHostBridgeSpec hostBridge = _hostBridges[rootBus];
        PciFunctionSpec? first = null;
        if (hostBridge.FirstDevice is PciAddress named)
        {
            first = Find(named);
        }
        else
        {
            foreach (PciFunctionSpec function in _functions.Values)
            {
                bool isOnRootBus = function.Parent is null && function.PhysicalFunction is null
                    && function.Address.BusAddress == rootBus && (function.RootBus ?? function.Address.BusAddress) == rootBus;
                if (isOnRootBus && (first is null || function.Address < first.Address))
                {
                    first = function;
                }
            }

            if (!hostBridge.IsComplete && (first is null || first.Address.Device != 0 || first.Address.Function != 0))
            {
                return ListIsEmpty ? false : null;
            }
        }

        if (first is null || ListIsEmpty)
        {
            return false;
        }

        bool isZero = first.Address.Device == 0 && first.Address.Function == 0;
        if (!isZero && first.PcieType == PcieType.Unknown)
        {
            return null;
        }

        if (!isZero && first.PcieType != PcieType.RootPort)
        {
            return false;
        }

        if (first.Vendor is not ushort vendor || first.Device is not ushort device)
        {
            return null;
        }

        return _list is null ? IsOnLinux612List(vendor, device, isSameBridge) : IsOnList(_list, vendor, device, isSameBridge);
    }

    private bool ListIsEmpty => _list is not null && _list.Entries.Length == 0;

    private static bool IsOnLinux612List(int vendor, int device, bool isSameBridge) => vendor == 0x8086 && device switch
    {
        0x3c00 or 0x3c01 or 0x2f00 or 0x2f01 => isSameBridge,
        0x2030 or 0x2031 or 0x2032 or 0x2033 or 0x2020 or 0x09a2 => true,
        _ => false,
    };

    private static bool IsOnList(HostBridgeList list, int vendor, int device, bool isSameBridge)
    {
        foreach (HostBridgeListEntry entry in list.Entries)
        {
            if (entry.Vendor == vendor && entry.Device == device)
            {
                return isSameBridge || !entry.SameHostBridgeOnly;
            }
        }

        return false;
    }
}
