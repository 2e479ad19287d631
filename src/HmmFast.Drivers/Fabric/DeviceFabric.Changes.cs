using HmmFast.Drivers.Moving;
using HmmFast.Policies;

namespace HmmFast.Drivers.Fabric;

public sealed partial class DeviceFabric
{
    /// <summary>A private link goes up or down. What was mapped over it is revoked; owners follow where the policy's rule says so.</summary>
    /// <param name="link">The link's index.</param>
    /// <param name="isUp">Its new state.</param>
    /// <returns>
    /// Ok; OutOfMemory or Busy when pages had to be evicted and could not be: the change stands, and the device keeps its pagemap under an owner of its own that nobody else has. The
    /// same call again, or the next change of a link, tries once more to register it under its clique's.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such link.</exception>
    public HmmStatus SetLink(int link, bool isUp)
    {
        if ((uint)link >= (uint)_linkIsUp.Length)
        {
            throw new ArgumentOutOfRangeException(nameof(link), link, $"There is no link {link}; there are {_linkIsUp.Length}.");
        }

        if (_linkIsUp[link] == isUp && !_hasOpenOwners)
        {
            return HmmStatus.Ok;
        }

        _counters.Changes += _linkIsUp[link] == isUp ? 0UL : 1;
        _linkIsUp[link] = isUp;
        ulong ownersBefore = _counters.OwnerChanges;
        HmmStatus status = FollowConnectivity();
        Publish();
        if (_counters.OwnerChanges != ownersBefore)
        {
            // Who changed cliques may hold memory of any device of its old one.
            for (int member = 0; member < Count; member++)
            {
                Revoke(member);
            }
        }
        else if (!isUp)
        {
            Revoke(Plan.Links[link].From);
            Revoke(Plan.Links[link].To);
        }

        return status;
    }

    /// <summary>The exporter lets a client in, or no longer.</summary>
    /// <param name="provider">The exporter.</param>
    /// <param name="client">The importer.</param>
    /// <param name="isPermitted">The new state.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such member; nothing changes.</exception>
    public void SetPermission(int provider, int client, bool isPermitted)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(provider);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(provider, Count);
        ArgumentOutOfRangeException.ThrowIfNegative(client);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(client, Count);
        _permits[(provider * Count) + client] = isPermitted;
        _counters.Changes++;
        Publish();
        if (!isPermitted)
        {
            Revoke(provider);
        }
    }

    /// <summary>Maps a chunk of a member's memory into the lowest free slot of its window.</summary>
    /// <param name="member">The member; it has a window.</param>
    /// <param name="chunk">The chunk.</param>
    /// <returns>Ok (also when it is mapped already), or OutOfMemory when the window is full.</returns>
    /// <exception cref="InvalidOperationException">The member has no window.</exception>
    /// <exception cref="ArgumentOutOfRangeException">Its memory has no such chunk.</exception>
    public HmmStatus MapChunk(int member, int chunk)
    {
        HmmStatus status = WindowFor(member).TryMapChunk(chunk, out AliasWindow window);
        if (status == HmmStatus.Ok)
        {
            _members[member].Window = window;
            _counters.Changes++;
            Publish();
        }

        return status;
    }

    /// <summary>Takes a chunk out of a member's window. Its aliases are revoked before the slot can show anything else.</summary>
    /// <param name="member">The member; it has a window.</param>
    /// <param name="chunk">The chunk.</param>
    /// <exception cref="InvalidOperationException">The member has no window.</exception>
    /// <exception cref="ArgumentOutOfRangeException">Its memory has no such chunk.</exception>
    public void UnmapChunk(int member, int chunk)
    {
        _members[member].Window = WindowFor(member).WithoutChunk(chunk);
        _counters.Changes++;
        Publish();
        Revoke(member);
    }

    /// <summary>Unplugs a member: nobody reaches it any more, what was mapped is revoked, its pages go to system memory, its pagemaps are unregistered.</summary>
    /// <param name="member">The member.</param>
    /// <returns>Ok; OutOfMemory or Busy when pages could not be evicted: those stay on the device, which nobody else reaches, and the call can be repeated.</returns>
    public HmmStatus Unplug(int member)
    {
        MemberState state = _members[member];
        if (!state.IsPlugged && state.Device is null)
        {
            return HmmStatus.Ok;
        }

        _counters.Changes++;
        state.IsPlugged = false;
        state.Window = null;
        if (Policy.Owners is OwnerRule.Cliques or OwnerRule.CliquesByEviction or OwnerRule.CliquesById)
        {
            _cliques.Leave(member);
        }

        Publish();
        if (Policy.Owners is OwnerRule.CliquesByEviction or OwnerRule.CliquesById)
        {
            // Owners that can change do: should the eviction fail, nobody's owner matches what is left.
            Isolate(state);
        }

        Revoke(member);
        HmmStatus status = Evict(member);
        if (status == HmmStatus.Ok)
        {
            Publish();
        }

        return status;
    }

    /// <summary>Plugs a member in: its pagemaps are registered, and it gets its owner among those that are there.</summary>
    /// <param name="member">The member; not plugged, and unplugged to the end.</param>
    /// <remarks>Its pagemaps are new ones: frames are never used again, so that plugging costs frame numbers (of 2^32).</remarks>
    /// <exception cref="InvalidOperationException">It is plugged in, or its pages could not be evicted yet.</exception>
    /// <exception cref="ArgumentException">The memory system has no frame numbers left for it.</exception>
    public void Plug(int member)
    {
        MemberState state = _members[member];
        if (state.IsPlugged || state.Device is not null)
        {
            throw new InvalidOperationException($"\"{Plan.Members[member].Name}\" is plugged in already, or was not unplugged to the end.");
        }

        _counters.Changes++;
        state.IsPlugged = true;
        state.Owner = FirstOwner(member);
        Register(member);
        Publish();
    }

    /// <summary>Tells every user of a member's pages to let go: each run of its pages is invalidated in every address space.</summary>
    /// <param name="member">The member.</param>
    public void Revoke(int member)
    {
        if (_members[member].Device is not { } device)
        {
            return;
        }

        (Pfn first, ulong count) = Memory.DeviceFrames(device);
        OwnerId owner = Memory.OwnerOf(device);
        foreach (IAddressSpace space in Memory.AddressSpaces.ToArray())
        {
            DevicePages.ForEachRun(space, first, count, run =>
            {
                _counters.RevokedRuns++;
                _counters.RevokedPages += run.PageCount;
                space.Invalidate(run, InvalidationEvent.Revoke, owner);
                return true;
            });
        }
    }

    private AliasWindow WindowFor(int member) =>
        _members[member].Window ?? throw new InvalidOperationException($"\"{Plan.Members[member].Name}\" has no window.");

    private HmmStatus Evict(int member)
    {
        MemberState state = _members[member];
        if (state.Device is not { } device)
        {
            return HmmStatus.Ok;
        }

        HmmStatus status = _mover.EvictAll(device, out ulong evicted);
        _counters.EvictedPages += evicted;
        if (status == HmmStatus.Ok)
        {
            status = Memory.RemoveDevice(device);
        }

        if (status == HmmStatus.Ok)
        {
            state.Device = null;
            if (state.AliasDevice is { } alias)
            {
                status = Memory.RemoveDevice(alias);
                state.AliasDevice = null;
            }

            state.Window = null;
        }

        return status;
    }

    /// <summary>Forms the cliques anew after a change of links, where the rule follows them, and gives pagemaps that belong elsewhere their new owner.</summary>
    private HmmStatus FollowConnectivity()
    {
        if (Policy.Owners is not (OwnerRule.CliquesByEviction or OwnerRule.CliquesById))
        {
            return HmmStatus.Ok;
        }

        HmmStatus result = HmmStatus.Ok;
        _hasOpenOwners = false;
        foreach (int member in ProbeOrder)
        {
            if (!_members[member].IsPlugged)
            {
                continue;
            }

            // A device keeps its clique as long as it still fits; otherwise it moves to the first that takes it.
            OwnerId owner = _cliques.Rejoin(member, (left, right) => AreConnected(left, right, EffectiveRule));
            if (owner == _members[member].Owner)
            {
                continue;
            }

            _counters.OwnerChanges++;
            HmmStatus status = ChangeOwner(member, owner);
            result = result == HmmStatus.Ok ? status : result;
        }

        return result;
    }

    private HmmStatus ChangeOwner(int member, OwnerId owner)
    {
        MemberState state = _members[member];
        if (state.Device is not { } device)
        {
            state.Owner = owner;
            return HmmStatus.Ok;
        }

        if (Policy.Owners == OwnerRule.CliquesById)
        {
            state.Owner = owner;
            Memory.SetOwner(device, owner);
            return HmmStatus.Ok;
        }

        HmmStatus status = Evict(member);
        if (status == HmmStatus.Ok)
        {
            state.Owner = owner;
            Register(member);
            _counters.Reregistrations++;
        }
        else
        {
            // What could not be evicted must not be handed to the members of its old clique, who may not reach it any more.
            Isolate(state);
            _hasOpenOwners = true;
        }

        return status;
    }

    /// <summary>Gives a member and its pagemap an owner that nobody else has.</summary>
    private void Isolate(MemberState state)
    {
        state.Owner = _cliques.Fresh();
        if (state.Device is { } device)
        {
            Memory.SetOwner(device, state.Owner);
        }
    }
}
