namespace HmmFast.Drivers.Fabric;

/// <summary>Sorts devices into cliques with a common owner, greedily in the order in which they come: each joins the first clique that it is connected to as a whole.</summary>
/// <remarks>An owner says "all of these reach one another", which not every set of links can be cut into: a chain A-B-C without A-C gives {A,B}{C} or {A}{B,C}, by order.</remarks>
public sealed class CliqueOwners
{
    private readonly List<(OwnerId Owner, List<int> Members)> _cliques = [];
    private uint _nextOwner;

    /// <summary>Makes an empty registry.</summary>
    /// <param name="firstOwner">The first owner it gives out; the next ones follow. Not 0.</param>
    public CliqueOwners(uint firstOwner)
    {
        ArgumentOutOfRangeException.ThrowIfZero(firstOwner);
        _nextOwner = firstOwner;
    }

    /// <summary>Cliques now.</summary>
    public int Count => _cliques.Count;

    /// <summary>Lets a device in.</summary>
    /// <param name="member">The device.</param>
    /// <param name="isConnected">Whether two devices have an interconnect; symmetric.</param>
    /// <returns>Its clique's owner.</returns>
    public OwnerId Join(int member, Func<int, int, bool> isConnected)
    {
        ArgumentNullException.ThrowIfNull(isConnected);
        foreach ((OwnerId owner, List<int> members) in _cliques)
        {
            if (members.TrueForAll(other => isConnected(member, other)))
            {
                members.Add(member);
                return owner;
            }
        }

        OwnerId fresh = new(_nextOwner++);
        _cliques.Add((fresh, [member]));
        return fresh;
    }

    /// <summary>Lets a device that is in stay in its clique if it is connected to all others of it, and join as a new one if not.</summary>
    /// <param name="member">The device.</param>
    /// <param name="isConnected">Whether two devices have an interconnect; symmetric.</param>
    /// <returns>Its clique's owner. A device alone in its clique may move to an earlier one that takes it.</returns>
    public OwnerId Rejoin(int member, Func<int, int, bool> isConnected)
    {
        ArgumentNullException.ThrowIfNull(isConnected);
        foreach ((OwnerId owner, List<int> members) in _cliques)
        {
            if (members.Count > 1 && members.Contains(member) && members.TrueForAll(other => other == member || isConnected(member, other)))
            {
                return owner;
            }
        }

        int alone = _cliques.FindIndex(clique => clique.Members.Count == 1 && clique.Members[0] == member);
        foreach ((OwnerId owner, List<int> members) in _cliques)
        {
            if (!members.Contains(member) && members.TrueForAll(other => isConnected(member, other)))
            {
                Leave(member);
                members.Add(member);
                return owner;
            }
        }

        if (alone >= 0)
        {
            return _cliques[alone].Owner;
        }

        Leave(member);
        OwnerId fresh = new(_nextOwner++);
        _cliques.Add((fresh, [member]));
        return fresh;
    }

    /// <summary>An owner that belongs to nobody, for memory that nobody is to have.</summary>
    public OwnerId Fresh() => new(_nextOwner++);

    /// <summary>Takes a device out; an empty clique goes, its owner is never given out again.</summary>
    public void Leave(int member)
    {
        foreach ((_, List<int> members) in _cliques)
        {
            members.Remove(member);
        }

        _cliques.RemoveAll(clique => clique.Members.Count == 0);
    }
}
