using HmmFast.Physical;

namespace HmmFast.AddressSpaces;

/// <content>What the migration room does to single entries: migration entries stand in for a page while it moves.</content>
internal sealed unsafe partial class AddressSpace
{
    /// <summary>Makes a block's pages single ones before they are collected. False when a 2 MiB folio cannot be split.</summary>
    internal bool TrySplitForMigration(ulong block)
    {
        BlockDescriptor descriptor = _block[block];
        if (descriptor.Kind != BlockKind.Huge)
        {
            return true;
        }

        if (_classes[descriptor.Class].IsZero)
        {
            SplitHugeEntry(block);
            return true;
        }

        return TrySplitFolio(descriptor.Frame);
    }

    /// <summary>Puts a migration entry where a page stands; it remembers access and bits.</summary>
    internal void HoldEntry(ulong vpn)
    {
        PageClass old = _classes[_class[vpn]];
        if (old.IsDirty)
        {
            _frames.Flags[_pfn[vpn]] |= FrameFlags.Dirty;
        }

        _class[vpn] = _classes.Intern(new PageClass(PageEntryKind.Migration, old.Bits));
    }

    /// <summary>Moves a held page's identity: the migration entries name the new frame from now on. The driver has copied the content.</summary>
    internal void MoveHeld(ulong vpn, uint from, uint to)
    {
        if (_frames.MapCount[from] == 1)
        {
            _pfn[vpn] = to;
        }
        else
        {
            List<Mapping> mappings = _core.MappingsBuffer;
            FindMappings(from, mappings);
            for (int i = 0; i < mappings.Count; i++)
            {
                mappings[i].Space._pfn[mappings[i].Vpn] = to;
            }
        }

        if ((_frames.Flags[from] & FrameFlags.PageCache) != 0)
        {
            _core.FileOf(_frames.ReverseMap[from].Object).Cache[_frames.ReverseMap[from].Index] = to;
        }

        bool isCached = (_frames.Flags[from] & FrameFlags.SwapCache) != 0;
        _physical.MoveIdentity(from, to);
        if (isCached)
        {
            _physical.Swap.Recache(from, to);
            _frames.Flags[from] &= ~FrameFlags.SwapCache;
            _frames.Flags[to] |= FrameFlags.SwapCache;
        }
    }

    /// <summary>Ends the hold: entries of a page map it again, where it is now.</summary>
    internal void RestoreHeld(ulong vpn, uint frame)
    {
        _frames.Flags[frame] &= ~FrameFlags.Locked;
        int device = _physical.PagemapOf(frame) is { Kind: DeviceMemoryKind.Private } pagemap ? pagemap.Device + 1 : 0;
        if (_frames.MapCount[frame] == 1 && (_frames.Flags[frame] & FrameFlags.PageCache) == 0 && HeldRun(vpn, frame, 1) > 0)
        {
            RestoreEntry(vpn, device, isWritable: false);
            return;
        }

        // Entries may have come and gone since the page was collected: forks copied them, unmapping dropped them, mremap moved them.
        List<Mapping> mappings = _core.MappingsBuffer;
        FindMappings(frame, mappings);
        for (int i = 0; i < mappings.Count; i++)
        {
            Vma vma = mappings[i].Vma;
            mappings[i].Space.RestoreEntry(mappings[i].Vpn, device, isWritable: vma.IsShared && vma.CanWrite && !vma.WantsWriteNotify);
        }
    }

    /// <summary>Puts a device or system page the driver brought where an empty entry or the zero page stands.</summary>
    internal bool TryInsert(Vma vma, ulong vpn, uint frame)
    {
        ulong block = vpn / BlockPages;
        if (!vma.IsAnonymous || _block[block].Kind == BlockKind.Huge)
        {
            return false;
        }

        _columns.EnsureTable(block);
        _vmas.PrepareAnon(vma);
        PageClass old = ClassAt(vpn, out _);
        if (old.Kind != PageEntryKind.None && !(old.IsPresent && old.IsZero))
        {
            return false;
        }

        Pagemap? pagemap = _physical.PagemapOf(frame);
        EntryBits bits = EntryBits.Exclusive | (vma.CanWrite ? EntryBits.Writable : EntryBits.None);
        PageClass wanted = pagemap is { Kind: DeviceMemoryKind.Private }
            ? new PageClass(PageEntryKind.DevicePrivate, bits, (ushort)(pagemap.Device + 1))
            : new PageClass(PageEntryKind.Present, bits | (vma.CanWrite ? EntryBits.SoftDirty | EntryBits.Dirty : EntryBits.None));
        byte id = _classes.Intern(wanted);
        SetEntry(vpn, id, frame);
        _frames.Flags[frame] |= FrameFlags.AnonymousPage;
        _frames.MapCount[frame] = 1;
        _frames.ReverseMap[frame] = new RmapEntry(vma.Anon!.Number, IndexOf(vma, vpn));
        return true;
    }

    /// <summary>A page that somebody else can find by its file or swap slot is locked until its hold ends.</summary>
    internal void LockCached(uint frame)
    {
        if ((_frames.Flags[frame] & (FrameFlags.PageCache | FrameFlags.SwapCache)) != 0)
        {
            _frames.Flags[frame] |= FrameFlags.Locked;
        }
    }

    /// <param name="vpn">The page.</param>
    /// <param name="device">The device of a private page, plus 1; else 0.</param>
    /// <param name="isWritable">What is mapped here is writable whatever the entry was.</param>
    private void RestoreEntry(ulong vpn, int device, bool isWritable)
    {
        PageClass held = _classes[_class[vpn]];
        if (held.Kind != PageEntryKind.Migration)
        {
            return;
        }

        PageEntryKind kind = device != 0 ? PageEntryKind.DevicePrivate : PageEntryKind.Present;
        EntryBits bits = device != 0 ? held.Bits & ~EntryBits.Dirty : held.Bits | (isWritable ? EntryBits.Writable : EntryBits.None);
        _class[vpn] = _classes.Intern(new PageClass(kind, bits, (ushort)device));
    }

    /// <summary>Pages from one on, in its table, that have one class.</summary>
    internal int ClassRun(ulong vpn, ulong to) => RunOf(vpn, to);

    /// <summary>
    /// Holds a run of pages of one class that this entry alone maps and whose frames count up, as <see cref="HoldEntry"/> does for each.
    /// Answers how many; 0 leaves the first to the single-page path.
    /// </summary>
    internal int HoldRun(ulong vpn, int most)
    {
        uint first = _pfn[vpn];
        int run = _physical.MovableRun(first, Math.Min(most, PfnRun(vpn, vpn + (ulong)most)));
        if (run < LeastRun)
        {
            return 0;
        }

        PageClass old = _classes[_class[vpn]];
        byte held = _classes.Intern(new PageClass(PageEntryKind.Migration, old.Bits));
        if (old.IsDirty)
        {
            _physical.MarkRun(first, run, FrameFlags.Dirty);
        }

        FillEntries(vpn, (ulong)run, held);
        return run;
    }

    /// <summary>Pages from one on, of those asked for, whose entries are held for frames that count up from one.</summary>
    internal int HeldRun(ulong vpn, uint frame, int most)
    {
        if (_block[vpn / BlockPages].Kind != BlockKind.Table || _classes[_class[vpn]].Kind != PageEntryKind.Migration || _pfn[vpn] != frame)
        {
            return 0;
        }

        int same = RunOf(vpn, vpn + (ulong)most);
        return Math.Min(same, PfnRun(vpn, vpn + (ulong)same));
    }

    /// <summary>Moves the identities of a run of held pages to fresh frames. Answers how many; 0 leaves the first to the single-page path.</summary>
    internal int MoveHeldRun(Vma? vma, ulong vpn, uint from, uint to, int most)
    {
        int run = _physical.FreshRun(to, _physical.MovableRun(from, HeldRun(vpn, from, most)));
        if (run < LeastRun)
        {
            return 0;
        }

        _physical.MoveIdentities(from, to, run, PlaceOf(vma, vpn, run));
        _core.Kernels.CountUp(new Span<uint>(_pfn + vpn, run), to);
        return run;
    }

    /// <summary>Takes a move of <see cref="MoveHeldRun"/> or <see cref="MoveHeldScattered"/> back for one page.</summary>
    internal void MoveBack(ulong vpn, uint from, uint to)
    {
        _frames.State[from] = _frames.State[to];
        _frames.State[to] = new FrameState { Flags = FrameFlags.InUse };
        _pfn[vpn] = from;
    }

    /// <summary>Ends the hold of a run of pages that moved to frames that count up and are mapped here alone (known, or to be looked at). Answers how many.</summary>
    internal int RestoreHeldRun(ulong vpn, uint frame, int most, bool areAlone)
    {
        int run = HeldRun(vpn, frame, most);
        run = run < LeastRun || areAlone ? run : _frames.MapCount[frame] == 1 ? _physical.MovableRun(frame, run) : 0;
        if (run < LeastRun)
        {
            return 0;
        }

        // The first page shows what all of them become.
        RestoreHeld(vpn, frame);
        FillEntries(vpn, (ulong)run, _class[vpn]);
        return run;
    }

    /// <summary>Puts fresh pages that count up where a run of empty entries or zero pages stands. Answers how many; 0 leaves the first to the single-page path.</summary>
    internal int InsertRun(Vma vma, ulong vpn, uint frame, int most)
    {
        ulong end = Math.Min(vpn + (ulong)most, ((vpn / BlockPages) + 1) * BlockPages);
        int run = _block[vpn / BlockPages].Kind == BlockKind.Huge ? 0 : _physical.FreshRun(frame, RunOf(vpn, end));
        if (run < LeastRun || !TryInsert(vma, vpn, frame))
        {
            return 0;
        }

        FillEntries(vpn, (ulong)run, _class[vpn]);
        _core.Kernels.CountUp(new Span<uint>(_pfn + vpn, run), frame);
        _physical.FillLikeFirst(frame, run);
        return run;
    }
}
