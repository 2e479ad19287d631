using System.Runtime.InteropServices;

namespace HmmFast.Memory;

/// <summary>
/// The few calls to the operating system that a column needs: reserve address space that reads as zero and is committed when touched,
/// give touched pages back, free. Every length is a multiple of <see cref="PageBytes"/>; callers own the bounds.
/// </summary>
internal static unsafe partial class VirtualMemory
{
    /// <summary>The unit of reserving and releasing. 64 KiB is a multiple of the page size of every system this runs on.</summary>
    public const int PageBytes = 64 * 1024;

    private const int ProtRead = 1;
    private const int ProtWrite = 2;
    private const int MapPrivate = 2;
    private const int MapFixed = 0x10;
    private const int LinuxMapAnonymous = 0x20;
    private const int LinuxMapNoReserve = 0x4000;
    private const int MacMapAnonymous = 0x1000;
    private const int MacMapNoReserve = 0x40;
    private const int LinuxMadvDontNeed = 4;
    private const int LinuxMadvHugePage = 14;
    private const int LinuxMadvNoHugePage = 15;
    private const int LinuxMadvCollapse = 25;
    private const nuint HugeBytes = 2 << 20;
    private const uint MemCommit = 0x1000;
    private const uint MemReserve = 0x2000;
    private const uint MemDecommit = 0x4000;
    private const uint MemRelease = 0x8000;
    private const uint PageReadWrite = 4;

    /// <summary>Reserves zero-reading memory, or returns null with the system's error number.</summary>
    public static void* Reserve(nuint sizeBytes, out int error)
    {
        void* address;
        if (OperatingSystem.IsWindows())
        {
            // Windows charges the commit limit at once; it still backs pages only when they are touched.
            address = VirtualAlloc(null, sizeBytes, MemReserve | MemCommit, PageReadWrite);
            error = address == null ? Marshal.GetLastPInvokeError() : 0;
            return address;
        }

        address = sizeBytes >= HugeBytes ? MapOnHugeBorder(sizeBytes) : MapAnonymous(null, sizeBytes, 0);
        bool failed = (nint)address == -1;
        error = failed ? Marshal.GetLastPInvokeError() : 0;
        return failed ? null : address;
    }

    /// <summary>Gives a range's memory back; it reads as zero afterwards and stays reserved.</summary>
    public static void Release(void* address, nuint sizeBytes)
    {
        bool done;
        if (OperatingSystem.IsWindows())
        {
            done = VirtualFree(address, sizeBytes, MemDecommit) != 0
                && VirtualAlloc(address, sizeBytes, MemCommit, PageReadWrite) != null;
        }
        else if (OperatingSystem.IsLinux())
        {
            done = MAdvise(address, sizeBytes, LinuxMadvDontNeed) == 0;
        }
        else
        {
            // Elsewhere "don't need" may keep the old bytes, so the range is mapped anew.
            done = MapAnonymous(address, sizeBytes, MapFixed) == address;
        }

        if (!done)
        {
            throw new InvalidOperationException(
                $"Releasing {sizeBytes} bytes of native memory failed with system error {Marshal.GetLastPInvokeError()}.");
        }
    }

    /// <summary>Frees a whole reserved range.</summary>
    public static bool Free(void* address, nuint sizeBytes) => OperatingSystem.IsWindows()
        ? VirtualFree(address, 0, MemRelease) != 0
        : MUnmap(address, sizeBytes) == 0;

    /// <summary>Tells the system the wish for huge pages. Only a hint: a system without them ignores it.</summary>
    public static void AdviseHuge(void* address, nuint sizeBytes, HugePagePolicy policy)
    {
        if (OperatingSystem.IsLinux() && policy != HugePagePolicy.SystemDefault)
        {
            _ = MAdvise(address, sizeBytes, policy == HugePagePolicy.Prefer ? LinuxMadvHugePage : LinuxMadvNoHugePage);
        }
    }

    /// <summary>Asks for a range in use to become huge pages now (Linux 6.1 and later). Only a wish: errors mean that it stays as it is.</summary>
    public static void GatherHuge(void* address, nuint sizeBytes)
    {
        if (OperatingSystem.IsLinux())
        {
            _ = MAdvise(address, sizeBytes, LinuxMadvCollapse);
        }
    }

    /// <summary>Bytes of the range that memory is spent on now, or -1 where the system cannot tell.</summary>
    public static long ResidentBytes(void* address, nuint sizeBytes)
    {
        if (!OperatingSystem.IsLinux())
        {
            return -1;
        }

        const int ChunkPages = 16 * 1024;
        nuint pageBytes = (nuint)Environment.SystemPageSize;
        byte[] present = new byte[ChunkPages];
        long resident = 0;
        fixed (byte* map = present)
        {
            for (nuint at = 0; at < sizeBytes; at += ChunkPages * pageBytes)
            {
                nuint length = Math.Min(ChunkPages * pageBytes, sizeBytes - at);
                if (MInCore((byte*)address + at, length, map) != 0)
                {
                    return -1;
                }

                foreach (byte page in present.AsSpan(0, (int)((length + pageBytes - 1) / pageBytes)))
                {
                    resident += (page & 1) * (long)pageBytes;
                }
            }
        }

        return resident;
    }

    /// <summary>Maps a range on a 2 MiB border: a little more than asked, of which both ends are given back.</summary>
    private static void* MapOnHugeBorder(nuint sizeBytes)
    {
        byte* address = (byte*)MapAnonymous(null, sizeBytes + HugeBytes, 0);
        if ((nint)address == -1)
        {
            return address;
        }

        nuint before = (0 - (nuint)address) & (HugeBytes - 1);
        if (before > 0)
        {
            _ = MUnmap(address, before);
        }

        if (before < HugeBytes)
        {
            _ = MUnmap(address + before + sizeBytes, HugeBytes - before);
        }

        return address + before;
    }

    private static void* MapAnonymous(void* address, nuint sizeBytes, int extraFlags)
    {
        int flags = MapPrivate | extraFlags
            | (OperatingSystem.IsMacOS() ? MacMapAnonymous | MacMapNoReserve : LinuxMapAnonymous | LinuxMapNoReserve);
        return MMap(address, sizeBytes, ProtRead | ProtWrite, flags, -1, 0);
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial void* MMap(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int MUnmap(void* address, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    private static partial int MAdvise(void* address, nuint length, int advice);

    [LibraryImport("libc", EntryPoint = "mincore", SetLastError = true)]
    private static partial int MInCore(void* address, nuint length, byte* present);

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial void* VirtualAlloc(void* address, nuint length, uint type, uint protection);

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial int VirtualFree(void* address, nuint length, uint type);
}
