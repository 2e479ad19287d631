namespace HmmFast.Reference;

/// <summary>An anon_vma: VMAs merge, and frames find the VMAs that may map them, only through it.</summary>
/// <param name="Number">Its number in the memory system; frames name theirs by it.</param>
/// <param name="Parent">The anon_vma of the VMA it was forked from: a child's VMA is found from its ancestors' pages too.</param>
internal sealed record AnonVma(int Number, AnonVma? Parent);

/// <summary>What must be equal for two VMAs to become one; soft-dirty is not among it.</summary>
/// <param name="Protection">VM_READ and VM_WRITE.</param>
/// <param name="Kind">What is mapped, and whether shared.</param>
/// <param name="HugePage">VM_HUGEPAGE.</param>
/// <param name="NoHugePage">VM_NOHUGEPAGE.</param>
/// <param name="Account">VM_ACCOUNT: private memory that was ever writable counts against the commit limit, and remembers it.</param>
internal readonly record struct VmaTraits(Protection Protection, MappingKind Kind, bool HugePage, bool NoHugePage, bool Account)
{
    /// <summary>VM_SPECIAL: never merged, refused by migrate_vma.</summary>
    public bool IsSpecial => Kind is MappingKind.DriverMixed or MappingKind.DriverPfn or MappingKind.DriverIo;
}

/// <summary>One VMA. Numbers are virtual page numbers.</summary>
internal sealed class Vma
{
    public required ulong Start { get; set; }

    public required ulong End { get; set; }

    public required VmaTraits Traits { get; set; }

    /// <summary>VM_SOFTDIRTY: the VMA is newer than the last clearing, so all of it counts as dirty.</summary>
    public required bool SoftDirty { get; set; }

    /// <summary>The object behind it; shared anonymous memory has a nameless one.</summary>
    public required PageFile? File { get; init; }

    /// <summary>vm_pgoff: for private anonymous memory the page number where it was mapped.</summary>
    public required ulong PageOffset { get; set; }

    /// <summary>Null until the first anonymous page.</summary>
    public AnonVma? Anon { get; set; }

    /// <summary>When the VMA took its place among the VMAs of its anon_vma; of two that start alike the older is found first.</summary>
    public ulong Stamp { get; set; }

    public ulong PageCount => End - Start;

    public Protection Protection => Traits.Protection;

    public MappingKind Kind => Traits.Kind;

    public bool CanRead => (Protection & Protection.Read) != 0;

    public bool CanWrite => (Protection & Protection.Write) != 0;

    /// <summary>No vm_ops: private anonymous memory.</summary>
    public bool IsAnonymous => Kind == MappingKind.PrivateAnonymous;

    public bool IsShared => Kind is MappingKind.SharedAnonymous or MappingKind.SharedFile;

    /// <summary>VM_PFNMAP or VM_IO: no struct pages behind it.</summary>
    public bool HasNoPages => Kind is MappingKind.DriverPfn or MappingKind.DriverIo;

    /// <summary>Copy-on-write: private, so anonymous pages can appear in it.</summary>
    public bool IsPrivate => !IsShared && !HasNoPages;

    /// <summary>Shared and writable, but each first write must be noticed: a disk file, or soft-dirty tracking.</summary>
    public bool WantsWriteNotify => IsShared && CanWrite && (File!.Kind == FileKind.Disk || !SoftDirty);

    /// <summary>The write bit of vm_page_prot: what a page mapped for reading gets at once.</summary>
    public bool MapsWritableOnRead => IsShared && CanWrite && !WantsWriteNotify;

    /// <summary>Pages of an anon_vma may be mapped here: it is the VMA's own or an ancestor's.</summary>
    public bool IsFoundFrom(int anonNumber)
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

    /// <summary>The object's page at a virtual page (linear_page_index).</summary>
    public ulong IndexOf(ulong vpn) => PageOffset + (vpn - Start);

    /// <summary>The virtual page of an object's page.</summary>
    public ulong VpnOf(ulong index) => Start + (index - PageOffset);

    /// <summary>A 2 MiB block lies in the VMA as a whole.</summary>
    public bool HoldsBlock(ulong vpn)
    {
        ulong block = vpn & ~(PageTables.PagesPerBlock - 1);
        return block >= Start && block + PageTables.PagesPerBlock <= End;
    }

    /// <summary>A copy of the VMA over a part of it, as vm_area_dup and a split make it.</summary>
    public Vma Part(ulong start, ulong end) => new()
    {
        Start = start,
        End = end,
        Traits = Traits,
        SoftDirty = SoftDirty,
        File = File,
        PageOffset = IndexOf(start),
        Anon = Anon,
    };
}
