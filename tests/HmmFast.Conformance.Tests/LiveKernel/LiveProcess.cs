using System.Runtime.InteropServices;
using static HmmFast.Conformance.Tests.LiveKernel.LinuxCalls;

namespace HmmFast.Conformance.Tests.LiveKernel;

/// <summary>
/// A region of this process at a fixed address, far from everything else, and a forked copy of the process that does nothing but sleep. The child is
/// made with clone() straight into the C library's pause(), so that no managed code ever runs in it; its memory is driven from outside.
/// </summary>
internal sealed unsafe class LiveProcess : IDisposable
{
    private const ulong BaseAddress = 0x1000_0000_0000;
    private const int StackSizeBytes = 64 << 10;
    private const int PageSizeBytes = PageOrder.PageSizeBytes;
    private const ulong CategoryPfnZero = 1 << 5;
    private const ulong CategoryHuge = 1 << 6;
    private const ulong PagePresent = 1UL << 63;
    private const ulong PageExclusive = 1UL << 56;
    private const ulong PfnMask = (1UL << 55) - 1;

    private readonly ulong _start;
    private readonly int _pagemap;
    private readonly int _memfd;
    private int _childPagemap = -1;
    private int _childMemory = -1;

    internal LiveProcess(int pageCount, int pmdOffset, int filePageCount)
    {
        PageCount = pageCount;
        _start = BaseAddress + (ulong)pmdOffset * PageSizeBytes;
        _pagemap = Check(Open("/proc/self/pagemap", 0), "open /proc/self/pagemap");
        _memfd = Check(MemfdCreate("hmmfast-live", 1), "memfd_create");
        Check(Truncate(_memfd, (long)filePageCount * PageSizeBytes), "ftruncate");
        for (int page = 0; page < filePageCount; page += 2)
        {
            ulong tag = InitialTag((ulong)page);
            Check((int)LinuxCalls.Write(_memfd, &tag, sizeof(ulong), (long)page * PageSizeBytes), "pwrite");
        }

        // The region must be ours alone: taking it without replacing proves that, giving it back leaves a hole as the model begins with.
        nint reserved = Map((nint)_start, Bytes(pageCount), 0, MapPrivate | MapAnonymous | MapNoReserve | MapFixedNoReplace, -1, 0);
        if ((ulong)reserved != _start)
        {
            throw new InvalidOperationException($"The region at 0x{_start:x} is taken (mmap answered 0x{reserved:x}).");
        }

        Unmap((nint)_start, Bytes(pageCount));
    }

    internal int PageCount { get; }

    internal int Child { get; private set; }

    internal static ulong InitialTag(ulong page) => page % 2 == 0 ? 0x7F000000 | page : 0;

    public void Dispose()
    {
        ExitChild();
        Unmap((nint)_start, Bytes(PageCount));
        Close(_memfd);
        Close(_pagemap);
    }

    /// <summary>True when this kernel has PAGEMAP_SCAN.</summary>
    internal static bool HasPagemapScan()
    {
        int file = Open("/proc/self/pagemap", 0);
        if (file < 0)
        {
            return false;
        }

        ScanArgument argument = new() { Size = (ulong)sizeof(ScanArgument), Start = BaseAddress, End = BaseAddress + PageSizeBytes, CategoryMask = CategoryHuge };
        argument.ReturnMask = CategoryHuge;
        int result = IoControl(file, PagemapScan, &argument);
        Close(file);
        return result >= 0;
    }

    /// <summary>True when pagemap shows frame numbers to this process.</summary>
    internal static bool CanSeeFrames()
    {
        ulong value = 1;
        int file = Open("/proc/self/pagemap", 0);
        ulong entry = 0;
        nint read = Read(file, &entry, sizeof(ulong), (long)((ulong)&value / PageSizeBytes * sizeof(ulong)));
        Close(file);
        return read == sizeof(ulong) && (entry & PfnMask) != 0;
    }

    internal int MapFixedAt(int page, int count, Protection protection, MappingKind kind, ulong pageOffset)
    {
        bool isFile = kind is MappingKind.PrivateFile or MappingKind.SharedFile;
        int flags = MapFixed
            | (kind is MappingKind.SharedAnonymous or MappingKind.SharedFile ? MapShared : MapPrivate)
            | (isFile ? 0 : MapAnonymous);
        nint result = Map(Address(page), Bytes(count), ProtectionBits(protection), flags, isFile ? _memfd : -1, (long)pageOffset * PageSizeBytes);
        return result == Address(page) ? 0 : Marshal.GetLastPInvokeError();
    }

    internal int UnmapAt(int page, int count) => Errno(Unmap(Address(page), Bytes(count)));

    internal int ProtectAt(int page, int count, Protection protection) => Errno(Protect(Address(page), Bytes(count), ProtectionBits(protection)));

    internal int AdviseAt(int page, int count, Advice advice) => Errno(Advise(Address(page), Bytes(count), advice switch
    {
        Advice.DontNeed => AdviseDontNeed,
        Advice.Free => AdviseFree,
        Advice.HugePage => AdviseHugePage,
        Advice.NoHugePage => AdviseNoHugePage,
        Advice.Collapse => AdviseCollapse,
        _ => throw new ArgumentOutOfRangeException(nameof(advice), advice, "Not driven on the live kernel."),
    }));

    internal int RemapAt(int page, int count, int to)
    {
        nint result = Remap(Address(page), Bytes(count), Bytes(count), RemapMayMove | RemapFixed, Address(to));
        return result == Address(to) ? 0 : Marshal.GetLastPInvokeError();
    }

    /// <summary>Reads a page's first word; the caller knows that it is readable.</summary>
    internal ulong ReadAt(int page) => Volatile.Read(ref *(ulong*)Address(page));

    /// <summary>Writes a page's first word; the caller knows that it is writable.</summary>
    internal void WriteAt(int page, ulong tag) => Volatile.Write(ref *(ulong*)Address(page), tag);

    internal void Fork()
    {
        nint stack = Map(0, StackSizeBytes, ProtRead | ProtWrite, MapPrivate | MapAnonymous, -1, 0);
        nint pause = NativeLibrary.GetExport(NativeLibrary.Load("libc.so.6"), "pause");
        Child = Check(Clone(pause, stack + StackSizeBytes - 64, 0, 0), "clone");
        Unmap(stack, StackSizeBytes);
        _childPagemap = Check(Open($"/proc/{Child}/pagemap", 0), "open the child's pagemap");
        _childMemory = Check(Open($"/proc/{Child}/mem", 0), "open the child's mem");
    }

    internal void ExitChild()
    {
        if (Child == 0)
        {
            return;
        }

        Close(_childPagemap);
        Close(_childMemory);
        Kill(Child, SignalKill);
        int status;
        Wait(Child, &status, WaitAll);
        Child = 0;
    }

    internal ulong ReadChildAt(int page)
    {
        ulong tag = 0;
        Check((int)Read(_childMemory, &tag, sizeof(ulong), (long)Address(page)), "read the child's memory");
        return tag;
    }

    internal void WriteChildAt(int page, ulong tag)
    {
        IoVector local = new() { Base = (nint)(&tag), Length = sizeof(ulong) };
        IoVector remote = new() { Base = Address(page), Length = sizeof(ulong) };
        Check((int)WriteProcess(Child, &local, 1, &remote, 1, 0), "process_vm_writev");
    }

    /// <summary>The pages of the parent, and of the child behind them when there is one.</summary>
    internal LivePage[] Observe(bool withFrames)
    {
        LivePage[] pages = new LivePage[Child == 0 ? PageCount : 2 * PageCount];
        Dictionary<ulong, int> firstOfFrame = [];
        Observe(_pagemap, pages.AsSpan(0, PageCount), 0, withFrames, firstOfFrame);
        if (Child != 0)
        {
            Observe(_childPagemap, pages.AsSpan(PageCount), PageCount, withFrames, firstOfFrame);
        }

        return pages;
    }

    /// <summary>The region's VMAs as /proc/self/maps shows them: page, count, permissions.</summary>
    internal List<(int Page, int Count, string Permissions)> Vmas()
    {
        List<(int, int, string)> vmas = [];
        foreach (string line in File.ReadLines("/proc/self/maps"))
        {
            string[] parts = line.Split(' ', 3);
            string[] bounds = parts[0].Split('-');
            ulong from = Convert.ToUInt64(bounds[0], 16);
            ulong to = Convert.ToUInt64(bounds[1], 16);
            if (from >= _start && to <= _start + (ulong)PageCount * PageSizeBytes)
            {
                vmas.Add(((int)((from - _start) / PageSizeBytes), (int)((to - from) / PageSizeBytes), parts[1]));
            }
        }

        return vmas;
    }

    private void Observe(int pagemap, Span<LivePage> pages, int firstIndex, bool withFrames, Dictionary<ulong, int> firstOfFrame)
    {
        ulong[] entries = new ulong[PageCount];
        fixed (ulong* into = entries)
        {
            Check((int)Read(pagemap, into, (nuint)PageCount * sizeof(ulong), (long)(_start / PageSizeBytes * sizeof(ulong))), "read pagemap");
        }

        bool[] zero = Scan(pagemap, CategoryPfnZero);
        bool[] huge = Scan(pagemap, CategoryHuge);
        for (int page = 0; page < PageCount; page++)
        {
            ulong entry = entries[page];
            bool isPresent = (entry & PagePresent) != 0;
            int sharesWith = -1;
            if (isPresent && withFrames && !firstOfFrame.TryGetValue(entry & PfnMask, out sharesWith))
            {
                sharesWith = firstIndex + page;
                firstOfFrame.Add(entry & PfnMask, sharesWith);
            }

            pages[page] = new LivePage(isPresent, (entry & PageExclusive) != 0, zero[page], huge[page], isPresent && withFrames ? sharesWith : -1).Comparable(_start / PageSizeBytes + (ulong)page);
        }
    }

    private bool[] Scan(int pagemap, ulong category)
    {
        bool[] found = new bool[PageCount];
        ScanRegion[] regions = new ScanRegion[PageCount];
        fixed (ScanRegion* into = regions)
        {
            ScanArgument argument = new()
            {
                Size = (ulong)sizeof(ScanArgument),
                Start = _start,
                End = _start + (ulong)PageCount * PageSizeBytes,
                Regions = (ulong)into,
                RegionCount = (ulong)regions.Length,
                CategoryMask = category,
                ReturnMask = category,
            };
            int count = Check(IoControl(pagemap, PagemapScan, &argument), "PAGEMAP_SCAN");
            for (int i = 0; i < count; i++)
            {
                for (ulong at = regions[i].Start; at < regions[i].End; at += PageSizeBytes)
                {
                    found[(at - _start) / PageSizeBytes] = true;
                }
            }
        }

        return found;
    }

    private static int Check(int result, string call) =>
        result >= 0 ? result : throw new InvalidOperationException($"{call} failed: errno {Marshal.GetLastPInvokeError()}");

    private static int Errno(int result) => result == 0 ? 0 : Marshal.GetLastPInvokeError();

    private static int ProtectionBits(Protection protection) =>
        ((protection & Protection.Read) != 0 ? ProtRead : 0) | ((protection & Protection.Write) != 0 ? ProtWrite : 0);

    private nint Address(int page) => (nint)(_start + (ulong)page * PageSizeBytes);

    private static nuint Bytes(int count) => (nuint)count * PageSizeBytes;
}
