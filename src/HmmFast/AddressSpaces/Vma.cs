using HmmFast.Physical;

namespace HmmFast.AddressSpaces;

/// <summary>The madvise state of a VMA that decides about 2 MiB pages.</summary>
internal enum HugeAdvice : byte
{
    None,
    Huge,
    NoHuge,
}

/// <summary>One VMA. A small object: there are few, and what is per page lives in the columns.</summary>
internal sealed class Vma
{
    public ulong Start { get; set; }

    public ulong End { get; set; }

    public Protection Protection { get; set; }

    public MappingKind Kind { get; init; }

    public FileObject? File { get; init; }

    public FileId FileId { get; init; } = FileId.None;

    /// <summary>Page of the file at <see cref="Start"/>; for private anonymous memory the page number it was mapped at, which mremap keeps.</summary>
    public ulong PageOffset { get; set; }

    /// <summary>Null until the first private page is made. Merging looks at it.</summary>
    public AnonVma? Anon { get; set; }

    /// <summary>When the VMA took its place among those of its object; of two that begin alike the reverse map finds the older first.</summary>
    public ulong Stamp { get; set; }

    public HugeAdvice HugeAdvice { get; set; }

    /// <summary>VM_ACCOUNT: private memory that is or was writable. Merging looks at it.</summary>
    public bool IsAccounted { get; set; }

    /// <summary>VM_SOFTDIRTY: every page counts as written; set at map time, cleared by ClearSoftDirty, which turns tracking on.</summary>
    public bool SoftDirty { get; set; } = true;

    public ulong PageCount => End - Start;

    public VpnRange Range => new(new Vpn(Start), End - Start);

    public bool CanRead => (Protection & Protection.Read) != 0;

    public bool CanWrite => (Protection & Protection.Write) != 0;

    /// <summary>MAP_SHARED.</summary>
    public bool IsShared => Kind is MappingKind.SharedAnonymous or MappingKind.SharedFile;

    /// <summary>Private anonymous memory: empty pages become zero pages or new frames.</summary>
    public bool IsAnonymous => Kind == MappingKind.PrivateAnonymous;

    /// <summary>VM_IO or VM_PFNMAP: HMM never faults it.</summary>
    public bool IsUnfaultable => Kind is MappingKind.DriverIo or MappingKind.DriverPfn;

    /// <summary>VM_SPECIAL: never merged, never migrated.</summary>
    public bool IsSpecial => Kind is MappingKind.DriverIo or MappingKind.DriverPfn or MappingKind.DriverMixed;

    /// <summary>A shared mapping whose clean pages must fault on write: a disk file's, or any while soft-dirty is tracked.</summary>
    public bool WantsWriteNotify => IsShared && CanWrite && (!SoftDirty || File!.Kind == FileKind.Disk);

    public bool Contains(ulong vpn) => vpn - Start < End - Start;

    /// <summary>The reverse map index of a page: stays the same when the VMA is split or moved.</summary>
    public ulong IndexOf(ulong vpn) => PageOffset + (vpn - Start);

    /// <summary>True when the whole 2 MiB block lies inside and the VMA may have 2 MiB pages (the "madvise" setting).</summary>
    public bool AllowsHuge(ulong block) =>
        HugeAdvice == HugeAdvice.Huge
        && IsAnonymous
        && block * PageOrder.PagesPerBlock >= Start
        && (block + 1) * PageOrder.PagesPerBlock <= End;

    /// <summary>Pages of an anon_vma may be mapped here: it is the VMA's own or an ancestor's.</summary>
    public bool IsFoundFrom(uint anonNumber)
    {
        for (AnonVma? anon = Anon; anon is not null; anon = anon.Parent)
        {
            if (anon.Number == anonNumber)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A copy over other pages of the same mapping.</summary>
    public Vma Part(ulong start, ulong end) => new()
    {
        Start = start,
        End = end,
        Protection = Protection,
        Kind = Kind,
        File = File,
        FileId = FileId,
        PageOffset = PageOffset + (start - Start),
        Anon = Anon,
        HugeAdvice = HugeAdvice,
        IsAccounted = IsAccounted,
        SoftDirty = SoftDirty,
    };
}
