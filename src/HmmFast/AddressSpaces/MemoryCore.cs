using HmmFast.Kernels;
using HmmFast.Memory;
using HmmFast.Physical;

namespace HmmFast.AddressSpaces;

/// <summary>What the address spaces of one memory system share: frames, swap, classes, files, counters, families.</summary>
internal sealed partial class MemoryCore : IDisposable
{
    private readonly List<FileObject> _files = [];
    private readonly List<FileObject> _nameless = [];
    private readonly Dictionary<uint, FileObject> _byObject = [];
    private readonly FaultActions[] _actions = [new(false, false), new(true, false), new(false, true), new(true, true)];
    private uint _nextObject;
    private uint _nextAnon;
    private ulong _nextStamp;
    private bool _unmapped;

    public MemoryCore(MemorySystemOptions options, NativeMemoryLedger ledger, KernelSet kernels)
    {
        Kernels = kernels;
        Options = options;
        Ledger = ledger;
        Physical = new PhysicalMemory(options, ledger, kernels);
    }

    public MemorySystemOptions Options { get; }

    /// <summary>The vector loops, at the width chosen.</summary>
    public KernelSet Kernels { get; }

    /// <summary>Scratch for class translations.</summary>
    public ByteTable TranslationTable { get; } = new();

    /// <summary>Pagemaps' owners by device. A change makes a new array, so that a call that began before it keeps its view.</summary>
    public OwnerId[] Owners { get; private set; } = [];

    public NativeMemoryLedger Ledger { get; }

    public PhysicalMemory Physical { get; }

    public PageClassTable Classes { get; } = new();

    /// <summary>Counters; a field, so that they are counted in place.</summary>
    public MemoryCounters Counters;

    /// <summary>What a fault does to each class in private anonymous memory.</summary>
    public ByteTable ActionsFor(bool write, bool isTaken) => _actions[(write ? 1 : 0) + (isTaken ? 2 : 0)].Of(Classes);

    /// <summary>Address spaces alive, in order of creation.</summary>
    public List<AddressSpace> Spaces { get; } = [];

    public IReadOnlyList<FileObject> Files => _files;

    /// <summary>Scratch for the reverse map, so that looking a frame up allocates nothing once it has grown. Not held across calls that use it again.</summary>
    public List<Mapping> MappingsBuffer { get; } = [];

    /// <summary>Scratch for walks of the reverse map; as <see cref="MappingsBuffer"/>.</summary>
    public List<Place> PlacesBuffer { get; } = [];

    /// <summary>Scratch for reclaim.</summary>
    public List<ulong> PagesBuffer { get; } = [];

    /// <summary>The file of a reverse map object.</summary>
    public FileObject FileOf(uint reverseMapObject) => _byObject[reverseMapObject];

    public AnonVma MakeAnon(AnonVma? parent) => new(_nextAnon++, parent);

    /// <summary>A number that grows: what takes its place later has a larger one.</summary>
    public ulong NextStamp() => _nextStamp++;

    /// <summary>Lets calls that begin from here on see the owners as they are now.</summary>
    public void PublishOwners()
    {
        var owners = new OwnerId[Physical.Pagemaps.Count];
        for (int device = 0; device < owners.Length; device++)
        {
            owners[device] = Physical.Pagemaps[device].Owner;
        }

        Owners = owners;
    }

    /// <summary>Makes a file; pages that hold something are in the page cache from the start, as after writing the file.</summary>
    public FileId CreateFile(FileOptions options)
    {
        var file = new FileObject(_nextObject++, options.Kind, options.PageCount, options.InitialTag, isNameless: false, Ledger);
        try
        {
            FillCache(file, options);
        }
        catch
        {
            DropCache(file);
            file.Dispose();
            throw;
        }

        _files.Add(file);
        _byObject.Add(file.Object, file);
        return new FileId(_files.Count - 1);
    }

    /// <summary>Makes the object behind shared anonymous memory; the caller adds it when it has a mapping to give it, or disposes it.</summary>
    public FileObject MakeNameless(ulong pageCount) => new(_nextObject++, FileKind.Memfd, pageCount, null, isNameless: true, Ledger);

    /// <summary>Puts an object that <see cref="MakeNameless"/> made into use.</summary>
    public void AddNameless(FileObject file)
    {
        _nameless.Add(file);
        _byObject.Add(file.Object, file);
    }

    /// <summary>A file's last VMA went: shared anonymous memory goes with it.</summary>
    public void FileUnmapped(FileObject file)
    {
        if (file.IsNameless)
        {
            // Its VMAs are gone but their pages may still be being unmapped; the owner of the VMA list calls Reap when they are.
            _unmapped = true;
        }
    }

    /// <summary>Frees shared anonymous objects that nothing maps any more. Called when an operation that removed VMAs has emptied their pages.</summary>
    public void Reap()
    {
        if (!_unmapped)
        {
            return;
        }

        _unmapped = false;
        for (int i = _nameless.Count - 1; i >= 0; i--)
        {
            FileObject file = _nameless[i];
            if (file.VmaCount == 0)
            {
                DropCache(file);
                _byObject.Remove(file.Object);
                file.Dispose();
                _nameless.RemoveAt(i);
            }
        }
    }

    public void Dispose()
    {
        foreach (FileObject file in _files)
        {
            file.Dispose();
        }

        foreach (FileObject file in _nameless)
        {
            file.Dispose();
        }

        Physical.Dispose();
    }

    /// <summary>Fills the page cache with what a file holds from the start.</summary>
    private unsafe void FillCache(FileObject file, FileOptions options)
    {
        for (ulong page = 0; options.InitialTag is not null && page < options.PageCount; page++)
        {
            ulong tag = options.InitialTag(page);
            if (tag == 0)
            {
                continue;
            }

            if (!TryFillCache(file, page, tag, out uint frame))
            {
                throw new InsufficientMemoryException(
                    $"The file's pages need more system frames than the {Options.SystemFrameCount} there are; page {page} of {options.PageCount} has none.");
            }

            Physical.Frames.Flags[frame] |= options.Kind == FileKind.Memfd ? FrameFlags.Dirty : FrameFlags.None;
        }
    }

    private unsafe void DropCache(FileObject file)
    {
        for (ulong page = 0; page < file.PageCount; page++)
        {
            uint frame = file.Cache[page];
            if (frame != 0)
            {
                file.Cache[page] = 0;
                Physical.Frames.Flags[frame] &= ~FrameFlags.PageCache;
                Physical.Unused(frame);
            }
        }

        foreach (uint slot in file.Slots)
        {
            Physical.Swap.DropUse(slot);
        }
    }
}
