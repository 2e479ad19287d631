using System.Numerics;
using System.Runtime.InteropServices;

namespace HmmFast.Topology;

/// <summary>
/// The peer-to-peer rule over one machine and one kernel's host bridge list: distance and map type of pairs, rows and lists of
/// clients, as <c>pci_p2pdma_distance_many</c> answers. Immutable; any number of threads may ask.
/// </summary>
/// <remarks>
/// <para>Hops are counted up from the provider and down to the client, to the closest bridge above both; without one both depths are added. Without a redirect (ACS bits RR, CR or EC
/// of a function on the path, the ends and the common bridge included) the answer is a bus address; otherwise the host bridges decide, by processor or by list. Source: the
/// answers of Linux 6.12 for 69,262 pairs, p2p.jsonl.gz and extra.jsonl.gz under tests/HmmFast.Topology.Tests/Recordings.</para>
/// <para>Cost: 2 bytes a function and 1 a host bridge. A million pairs of 1,000 functions take 0.2 ms.</para>
/// Every function carries how many functions redirect from the root bus down to it. A path redirects exactly when that number differs
/// between its lower and its upper end, so no path is ever walked: a pair costs the search for its common bridge, and a row is a few
/// runs of indices with one constant each, written at vector width.
/// <example>
/// Provider 18:00.0 below port 17:00.0 below switch 16:00.0: its row is [what is below 18:00.0] [what else is below 17:00.0, in front
/// and behind] [what else is below 16:00.0] ... [the rest of its host bridge] [the other host bridges]. In each run the hops are
/// depth(client) plus a constant, and "redirected" is a comparison of the client's count with the common bridge's.
/// </example>
/// </remarks>
public sealed class P2PdmaDistance : IP2PdmaDistance
{
    private const byte NotListed = 0;
    private const byte ListedForSameBridge = 1;
    private const byte Listed = 2;
    private const byte ListedUnknown = 3;

    // Functions that redirect from the root bus down to each function, itself included; what is hidden or unknown by assumption.
    private readonly ushort[] _redirects;
    private readonly byte[] _listing;
    private readonly HostBridgeVerdict _cpuVerdict;

    /// <summary>Prepares the rule. Cost: one pass over the functions.</summary>
    /// <param name="topology">The machine.</param>
    /// <param name="list">The kernel's host bridge list; null: Linux 6.12's.</param>
    /// <param name="assumptions">What to take for true where the description does not say.</param>
    public P2PdmaDistance(PciTopology topology, HostBridgeList? list = null, P2PdmaAssumptions assumptions = default)
    {
        ArgumentNullException.ThrowIfNull(topology);
        Topology = topology;
        List = list ?? HostBridgeList.Linux612;
        Assumptions = assumptions;
        _redirects = CountRedirects(topology, assumptions.UnknownAcsRedirects);
        _cpuVerdict = topology.Cpu is not CpuIdentity cpu
            ? (List.CpuRules.Length == 0 ? HostBridgeVerdict.Refused : HostBridgeVerdict.Unknown)
            : (List.IndexOfCpuRule(cpu) >= 0 ? HostBridgeVerdict.Allowed : HostBridgeVerdict.Refused);
        _listing = new byte[topology.HostBridgeCount];
        for (int h = 0; h < _listing.Length; h++)
        {
            _listing[h] = FindListing(topology, List, h);
        }
    }

    /// <summary>The machine.</summary>
    public PciTopology Topology { get; }

    /// <summary>The host bridge list.</summary>
    public HostBridgeList List { get; }

    /// <summary>What is taken for true where the description does not say.</summary>
    public P2PdmaAssumptions Assumptions { get; }

    /// <summary>Whether the processor alone allows all host bridges.</summary>
    public HostBridgeVerdict CpuVerdict => _cpuVerdict;

    /// <summary>
    /// The device that speaks for a host bridge: the first of its root bus, if it is function 00.0 or a root port.
    /// </summary>
    /// <param name="topology">The machine.</param>
    /// <param name="hostBridge">The host bridge's index.</param>
    /// <returns>
    /// The function's index; <see cref="PciTopology.NoFirstDevice"/> when none speaks;
    /// <see cref="PciTopology.FirstDeviceUnknown"/> when the description does not tell.
    /// </returns>
    public static int Speaker(PciTopology topology, int hostBridge)
    {
        int first = topology.FirstDevices[hostBridge];
        if (first < 0)
        {
            return first;
        }

        if (topology.Addresses[first].DeviceFunction == 0)
        {
            return first;
        }

        return topology.PcieTypes[first] switch
        {
            PcieType.RootPort => first,
            PcieType.Unknown => PciTopology.FirstDeviceUnknown,
            _ => PciTopology.NoFirstDevice,
        };
    }

    /// <summary>Whether peer traffic may go up through one host bridge and down through the same or another.</summary>
    /// <param name="from">The provider's host bridge.</param>
    /// <param name="to">The client's host bridge.</param>
    /// <returns>The verdict, unknown where the description does not carry what decides it.</returns>
    public HostBridgeVerdict Verdict(int from, int to)
    {
        if (_cpuVerdict == HostBridgeVerdict.Allowed)
        {
            return HostBridgeVerdict.Allowed;
        }

        HostBridgeVerdict verdict = from == to ? OfOneBridge(_listing[from]) : OfTwoBridges(_listing[from], _listing[to]);
        return verdict == HostBridgeVerdict.Refused && _cpuVerdict == HostBridgeVerdict.Unknown ? HostBridgeVerdict.Unknown : verdict;
    }

    /// <inheritdoc/>
    /// <remarks>Cost: two look-ups by address and the provider's depth.</remarks>
    /// <exception cref="ArgumentException">There is no such function.</exception>
    public P2PdmaAnswer Answer(PciAddress provider, PciAddress client) =>
        Answer(Topology.IndexOf(provider), Topology.IndexOf(client));

    /// <summary>The answer for one ordered pair. Cost: the provider's depth.</summary>
    /// <param name="provider">Index of the function whose memory it is.</param>
    /// <param name="client">Index of the function that reads or writes it.</param>
    /// <returns>Map type and hops.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An index is not a function's.</exception>
    public P2PdmaAnswer Answer(int provider, int client)
    {
        CheckIndex(provider, nameof(provider));
        CheckIndex(client, nameof(client));
        ReadOnlySpan<ushort> depths = Topology.Depths;
        int hops = depths[provider] + depths[client];
        int common = Topology.CommonBridge(provider, client);
        if (common >= 0)
        {
            hops -= 2 * depths[common];
            if (_redirects[provider] == RedirectsAbove(common) && _redirects[client] == _redirects[common])
            {
                return new P2PdmaAnswer(P2PdmaMapType.BusAddr, hops);
            }
        }

        return new P2PdmaAnswer(ThroughHostBridges(Topology.HostBridgeOf[provider], Topology.HostBridgeOf[client]), hops);
    }

    /// <summary>
    /// What <c>pci_p2pdma_distance_many</c> returns: the sum of the clients' distances, or -1 when one of them cannot be reached or
    /// has no PCI function above it.
    /// </summary>
    /// <remarks>Cost: an <see cref="Answer(int, int)"/> for each client.</remarks>
    /// <param name="provider">Index of the function whose memory it is.</param>
    /// <param name="clients">Indices of the clients; -1 for a client without PCI ancestor.</param>
    /// <returns>The sum, or -1. No client: -1.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An index is not a function's and not -1.</exception>
    public int Many(int provider, ReadOnlySpan<int> clients)
    {
        CheckIndex(provider, nameof(provider));
        int sum = 0;
        bool isReached = clients.Length > 0;
        foreach (int client in clients)
        {
            if (client == -1)
            {
                isReached = false;
                continue;
            }

            int distance = Answer(provider, client).Distance;
            isReached &= distance >= 0;
            sum += distance;
        }

        return isReached ? sum : -1;
    }

    /// <summary>The answers of one provider for every client, in the functions' order. Allocates nothing. Cost: 6 bytes moved a function, at vector width.</summary>
    /// <param name="provider">Index of the function whose memory it is.</param>
    /// <param name="row">One answer a function; at least <see cref="PciTopology.Count"/> long, the rest is left alone.</param>
    /// <exception cref="ArgumentOutOfRangeException">The index is not a function's.</exception>
    /// <exception cref="ArgumentException">The row is too short.</exception>
    public void FillRow(int provider, Span<P2PdmaAnswer> row)
    {
        CheckIndex(provider, nameof(provider));
        if (row.Length < Topology.Count)
        {
            throw new ArgumentException($"a row holds {Topology.Count} answers, this one {row.Length}", nameof(row));
        }

        Span<ushort> words = MemoryMarshal.Cast<P2PdmaAnswer, ushort>(row);
        int home = Topology.HostBridgeOf[provider];
        for (int h = 0; h < Topology.HostBridgeCount; h++)
        {
            // The provider's own host bridge is written here too; its tree overwrites its part below.
            FillRun(words, Topology.HostBridgeStarts[h], Topology.HostBridgeEnds[h], Topology.Depths[provider], 0, false, home, h);
        }

        int doneStart = provider;
        int doneEnd = provider;
        for (int common = provider; common >= 0; common = Topology.Parents[common])
        {
            int hops = Topology.Depths[provider] - (2 * Topology.Depths[common]);
            bool isClear = _redirects[provider] == RedirectsAbove(common);
            FillRun(words, common, doneStart, hops, _redirects[common], isClear, home, home);
            FillRun(words, doneEnd, Topology.SubtreeEnds[common], hops, _redirects[common], isClear, home, home);
            doneStart = common;
            doneEnd = Topology.SubtreeEnds[common];
        }
    }

    internal int RedirectsAbove(int function)
    {
        int parent = Topology.Parents[function];
        return parent < 0 ? 0 : _redirects[parent] + HiddenRedirects(Topology, function, Assumptions.UnknownAcsRedirects);
    }

    internal byte[] Listing => _listing;

    /// <summary>Writes one run: every client has the same common bridge (or none) and so the same constants.</summary>
    private void FillRun(Span<ushort> words, int start, int end, int hops, int redirectsAtCommon, bool isClear, int home, int other)
    {
        ushort blocked = (ushort)ThroughHostBridges(home, other);
        FillWords(
            Topology.Depths[start..end],
            _redirects.AsSpan(start, end - start),
            words[start..end],
            (ushort)hops,
            (ushort)redirectsAtCommon,
            isClear ? (ushort)P2PdmaMapType.BusAddr : blocked,
            blocked);
    }

    /// <summary>
    /// word = ((depth + hops) &lt;&lt; 2) | (redirects == atCommon ? clear : blocked), for each client of a run. Hops may be negative;
    /// 16-bit arithmetic wraps and the sum is a path length again.
    /// </summary>
    private static void FillWords(
        ReadOnlySpan<ushort> depths,
        ReadOnlySpan<ushort> redirects,
        Span<ushort> words,
        ushort hops,
        ushort atCommon,
        ushort clear,
        ushort blocked)
    {
        int i = 0;
        if (words.Length >= Vector<ushort>.Count)
        {
            var hopsVector = new Vector<ushort>(hops);
            var commonVector = new Vector<ushort>(atCommon);
            var clearVector = new Vector<ushort>(clear);
            var blockedVector = new Vector<ushort>(blocked);
            for (; i <= words.Length - Vector<ushort>.Count; i += Vector<ushort>.Count)
            {
                Vector<ushort> isClear = Vector.Equals(new Vector<ushort>(redirects[i..]), commonVector);
                Vector<ushort> path = (new Vector<ushort>(depths[i..]) + hopsVector) << 2;
                (path | Vector.ConditionalSelect(isClear, clearVector, blockedVector)).CopyTo(words[i..]);
            }
        }

        for (; i < words.Length; i++)
        {
            words[i] = (ushort)(((ushort)(depths[i] + hops) << 2) | (redirects[i] == atCommon ? clear : blocked));
        }
    }

    private static ushort[] CountRedirects(PciTopology topology, bool unknownRedirects)
    {
        ushort[] redirects = new ushort[topology.Count];
        for (int i = 0; i < redirects.Length; i++)
        {
            // A parent's index is lower, so its count is there already.
            int parent = topology.Parents[i];
            AcsState acs = topology.Acs[i];
            bool isRedirecting = acs.IsKnown ? acs.RedirectingBits != AcsControl.None : unknownRedirects;
            int above = parent < 0 ? 0 : redirects[parent] + HiddenRedirects(topology, i, unknownRedirects);
            redirects[i] = (ushort)(above + (isRedirecting ? 1 : 0));
        }

        return redirects;
    }

    /// <summary>Bridges that are not described count as one that redirects where unknown ACS is taken to redirect.</summary>
    private static int HiddenRedirects(PciTopology topology, int function, bool unknownRedirects) =>
        unknownRedirects && topology.HiddenBridgesAbove[function] != 0 ? 1 : 0;

    private static byte FindListing(PciTopology topology, HostBridgeList list, int hostBridge)
    {
        int speaker = Speaker(topology, hostBridge);
        if (speaker == PciTopology.NoFirstDevice || list.Entries.Length == 0)
        {
            return NotListed;
        }

        if (speaker < 0 || topology.Vendors[speaker] < 0 || topology.Devices[speaker] < 0)
        {
            return ListedUnknown;
        }

        int line = list.IndexOf((ushort)topology.Vendors[speaker], (ushort)topology.Devices[speaker]);
        return line < 0 ? NotListed : list.Entries[line].SameHostBridgeOnly ? ListedForSameBridge : Listed;
    }

    private static HostBridgeVerdict OfOneBridge(byte listing) => listing switch
    {
        NotListed => HostBridgeVerdict.Refused,
        ListedUnknown => HostBridgeVerdict.Unknown,
        _ => HostBridgeVerdict.Allowed,
    };

    private static HostBridgeVerdict OfTwoBridges(byte from, byte to)
    {
        if (from is NotListed or ListedForSameBridge || to is NotListed or ListedForSameBridge)
        {
            return HostBridgeVerdict.Refused;
        }

        return from == Listed && to == Listed ? HostBridgeVerdict.Allowed : HostBridgeVerdict.Unknown;
    }

    private P2PdmaMapType ThroughHostBridges(int from, int to)
    {
        HostBridgeVerdict verdict = Verdict(from, to);
        bool isAllowed = verdict == HostBridgeVerdict.Allowed || (verdict == HostBridgeVerdict.Unknown && Assumptions.UnknownHostBridgeAllows);
        return isAllowed ? P2PdmaMapType.ThruHostBridge : P2PdmaMapType.NotSupported;
    }

    private void CheckIndex(int index, string name)
    {
        if ((uint)index >= (uint)Topology.Count)
        {
            throw new ArgumentOutOfRangeException(name, index, $"a function's index is 0 to {Topology.Count - 1}, not {index}");
        }
    }
}
