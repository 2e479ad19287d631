using System.Runtime.InteropServices;

namespace HmmFast.Conformance.Tests.LiveKernel;

/// <summary>The few system calls that drive and observe a region of this process and of a forked copy.</summary>
internal static partial class LinuxCalls
{
    internal const int ProtRead = 1;
    internal const int ProtWrite = 2;
    internal const int MapShared = 0x01;
    internal const int MapPrivate = 0x02;
    internal const int MapFixed = 0x10;
    internal const int MapAnonymous = 0x20;
    internal const int MapNoReserve = 0x4000;
    internal const int MapFixedNoReplace = 0x100000;
    internal const int RemapMayMove = 1;
    internal const int RemapFixed = 2;
    internal const int AdviseDontNeed = 4;
    internal const int AdviseFree = 8;
    internal const int AdviseHugePage = 14;
    internal const int AdviseNoHugePage = 15;
    internal const int AdviseCollapse = 25;
    internal const int SignalKill = 9;
    internal const int WaitAll = 0x40000000;
    internal const ulong PagemapScan = 0xC0606610;

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    internal static partial nint Map(nint address, nuint length, int protection, int flags, int file, long offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    internal static partial int Unmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    internal static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    internal static partial int Advise(nint address, nuint length, int advice);

    [LibraryImport("libc", EntryPoint = "mremap", SetLastError = true)]
    internal static partial nint Remap(nint address, nuint oldLength, nuint newLength, int flags, nint to);

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int MemfdCreate(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    internal static partial int Truncate(int file, long length);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(int file);

    [LibraryImport("libc", EntryPoint = "pread", SetLastError = true)]
    internal static unsafe partial nint Read(int file, void* buffer, nuint length, long offset);

    [LibraryImport("libc", EntryPoint = "pwrite", SetLastError = true)]
    internal static unsafe partial nint Write(int file, void* buffer, nuint length, long offset);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    internal static unsafe partial int IoControl(int file, ulong request, void* argument);

    [LibraryImport("libc", EntryPoint = "clone", SetLastError = true)]
    internal static partial int Clone(nint function, nint stackTop, int flags, nint argument);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    internal static partial int Kill(int process, int signal);

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    internal static unsafe partial int Wait(int process, int* status, int options);

    [LibraryImport("libc", EntryPoint = "process_vm_writev", SetLastError = true)]
    internal static unsafe partial nint WriteProcess(int process, IoVector* local, nuint localCount, IoVector* remote, nuint remoteCount, nuint flags);

    [StructLayout(LayoutKind.Sequential)]
    internal struct IoVector
    {
        internal nint Base;
        internal nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct ScanRegion
    {
        internal ulong Start;
        internal ulong End;
        internal ulong Categories;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct ScanArgument
    {
        internal ulong Size;
        internal ulong Flags;
        internal ulong Start;
        internal ulong End;
        internal ulong WalkEnd;
        internal ulong Regions;
        internal ulong RegionCount;
        internal ulong MaxPages;
        internal ulong CategoryInverted;
        internal ulong CategoryMask;
        internal ulong CategoryAnyOfMask;
        internal ulong ReturnMask;
    }
}
