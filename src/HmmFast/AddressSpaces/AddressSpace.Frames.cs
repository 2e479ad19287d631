using HmmFast.Physical;

namespace HmmFast.AddressSpaces;

/// <content>The reverse map: from a frame to every entry that holds it, and moving a page's identity for all of them.</content>
internal sealed unsafe partial class AddressSpace
{
    /// <summary>Every entry that holds a frame, by address space in order of creation: those of this family for anonymous frames, all for a file's.</summary>
    internal void FindMappings(uint frame, List<Mapping> into)
    {
        into.Clear();
        ushort wanted = _frames.MapCount[frame];
        bool isAnonymous = (_frames.Flags[frame] & FrameFlags.Anonymous) != 0;
        uint index = _frames.Index[frame];
        foreach (AddressSpace space in isAnonymous ? _family : _core.Spaces)
        {
            for (int i = 0; i < space._vmas.Count && into.Count < wanted; i++)
            {
                Vma vma = space._vmas[i];
                uint offset = index - (isAnonymous ? IndexOf(vma, vma.Start) : (uint)vma.PageOffset);
                if (offset >= vma.PageCount || (isAnonymous ? vma.IsShared : vma.File is null || vma.File.Object != _frames.Object[frame]))
                {
                    continue;
                }

                ulong vpn = vma.Start + offset;
                if (space.ClassAt(vpn, out uint number).HoldsFrame && number == frame)
                {
                    into.Add(new Mapping(space, vma, vpn));
                }
            }
        }
    }

    /// <summary>
    /// A device-private page is touched by someone who cannot use it there: its driver brings it back to system memory, for everyone who maps it
    /// (<c>migrate_to_ram</c>). Takes no further access: the caller looks at the entry again.
    /// </summary>
    /// <returns>Done; OutOfMemory or, for a pinned page, SigBus with the page as it was.</returns>
    private FaultOutcome MigrateToRam(ulong vpn)
    {
        uint from = _pfn[vpn];
        Pagemap pagemap = _physical.PagemapOf(from)!;
        InvalidatePage(vpn, InvalidationEvent.Migrate, pagemap.Owner);
        if (_frames.MapCount[from] > 1)
        {
            NotifyPlaces(from, 1, InvalidationEvent.Clear);
        }

        if (_physical.IsPinned(from))
        {
            return FaultOutcome.SigBus;
        }

        if (!_physical.TryTakeSystem(FrameFlags.InUse, out uint to))
        {
            return FaultOutcome.OutOfMemory;
        }

        ReplaceFrame(from, to, vpn);
        _core.Counters.PagesMigratedToSystem++;
        _core.Counters.MigrateToRamFaults++;
        _physical.Unused(from);
        pagemap.Ops?.MigratedToRam(Handle!, new Vpn(vpn), new Pfn(from), new Pfn(to));
        return FaultOutcome.Done;
    }

    /// <summary>Moves a page from one frame to another and rewrites every entry that holds it; entries keep their access and bits.</summary>
    internal void ReplaceFrame(uint from, uint to, ulong vpn)
    {
        int device = _physical.PagemapOf(to) is { Kind: DeviceMemoryKind.Private } pagemap ? pagemap.Device + 1 : 0;
        if (_frames.MapCount[from] == 1)
        {
            ReplaceEntry(vpn, to, device);
        }
        else
        {
            List<Mapping> mappings = _core.MappingsBuffer;
            FindMappings(from, mappings);
            for (int i = 0; i < mappings.Count; i++)
            {
                mappings[i].Space.ReplaceEntry(mappings[i].Vpn, to, device);
            }
        }

        _physical.MoveIdentity(from, to, copyContent: true);
    }

    private void ReplaceEntry(ulong vpn, uint to, int device)
    {
        PageClass old = _classes[_class[vpn]];
        PageEntryKind kind = device != 0 ? PageEntryKind.DevicePrivate : PageEntryKind.Present;
        EntryBits bits = old.Bits & (EntryBits.Writable | EntryBits.SoftDirty | EntryBits.Exclusive);
        SetEntry(vpn, _classes.Intern(new PageClass(kind, bits, (ushort)device)), to);
    }
}
