using HmmFast.Policies;
using HmmFast.Topology;

namespace HmmFast.Drivers.Fabric;

/// <summary>A machine as policies see it: members, links, PCI reach between them, and access control. Immutable.</summary>
public sealed record FabricPlan
{
    /// <summary>The devices.</summary>
    public required IReadOnlyList<FabricMember> Members { get; init; }

    /// <summary>Private links.</summary>
    public IReadOnlyList<FabricLink> Links { get; init; } = [];

    /// <summary>PCI answer for (provider index, client index).</summary>
    public required Func<int, int, P2PdmaAnswer> P2p { get; init; }

    /// <summary>What the PCI path of (provider, client) can do, where it is allowed.</summary>
    public Func<int, int, PathEstimate> P2pPath { get; init; } = static (_, _) => new PathEstimate(26.3e9, 1340);

    /// <summary>The exporter's access control: pairs (provider, client) that it lets in at the start.</summary>
    public Func<int, int, bool> Permits { get; init; } = static (_, _) => true;

    /// <summary>The order in which members are probed, by index; empty: as listed.</summary>
    public IReadOnlyList<int> ProbeOrder { get; init; } = [];

    /// <summary>What makes a clique, for owners that are formed when pagemaps are made.</summary>
    public InterconnectRule Interconnect { get; init; }

    /// <summary>Checks indices and names.</summary>
    /// <exception cref="ArgumentException">A name occurs twice, a link or the probe order names a member that is not there, or an owner is missing.</exception>
    public void Validate()
    {
        HashSet<string> names = [];
        foreach (FabricMember member in Members)
        {
            if (!names.Add(member.Name))
            {
                throw new ArgumentException($"Two members are named \"{member.Name}\".");
            }

            if (member.MemoryPageCount == 0 && member.WindowPageCount != 0)
            {
                throw new ArgumentException($"\"{member.Name}\" has a window of {member.WindowPageCount} pages over no memory.");
            }

            if (member.WindowPageCount != 0 && member.WindowPageCount < member.ChunkPageCount)
            {
                throw new ArgumentException($"\"{member.Name}\" has a window of {member.WindowPageCount} pages, less than one chunk of {member.ChunkPageCount}.");
            }
        }

        foreach (FabricLink link in Links)
        {
            if ((uint)link.From >= (uint)Members.Count || (uint)link.To >= (uint)Members.Count || link.From == link.To)
            {
                throw new ArgumentException($"A link joins members {link.From} and {link.To}; there are members 0 to {Members.Count - 1}, and a link joins two.");
            }
        }

        if (ProbeOrder.Count != 0 && (ProbeOrder.Count != Members.Count || ProbeOrder.Distinct().Count() != Members.Count || ProbeOrder.Any(index => (uint)index >= (uint)Members.Count)))
        {
            throw new ArgumentException($"The probe order [{string.Join(", ", ProbeOrder)}] does not name each of {Members.Count} members once.");
        }
    }
}
