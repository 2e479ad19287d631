using System.Runtime.InteropServices;

namespace HmmFast.Cli.Tests.Captures;

/// <summary>Memory of the test process at a known place, in states the test makes.</summary>
internal sealed unsafe class NativeRegion : IDisposable
{
    private const int ReadWrite = 3;
    private const int Shared = 1;
    private const int Private = 2;
    private const int Anonymous = 0x20;
    private const int NoReserve = 0x4000;
    private readonly void* _raw;
    private readonly nuint _rawBytes;

    public NativeRegion(int blockCount, bool isShared = false)
    {
        // One block more than asked for, so that the region can begin at a 2 MiB border, and unlike its neighbours so that it stays a VMA of its own.
        const nuint blockBytes = 2 << 20;
        _rawBytes = (nuint)(blockCount + 1) * blockBytes;
        _raw = Mmap(null, _rawBytes, 0, (isShared ? Shared : Private) | Anonymous | NoReserve, -1, 0);
        if (_raw == (void*)-1)
        {
            throw new InvalidOperationException($"mmap: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        Start = (byte*)(((nuint)_raw + blockBytes - 1) / blockBytes * blockBytes);
        Bytes = (nuint)blockCount * blockBytes;
        if (Mprotect(Start, Bytes, ReadWrite) != 0)
        {
            throw new InvalidOperationException($"mprotect: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    public byte* Start { get; }

    public nuint Bytes { get; }

    public VpnRange Range => new(new Vpn((ulong)Start / 4096), Bytes / 4096);

    public void Write(int firstPage, int pageCount)
    {
        for (int i = 0; i < pageCount; i++)
        {
            ((byte*)Start)[(nuint)(firstPage + i) * 4096] = 1;
        }
    }

    public int Read(int firstPage, int pageCount)
    {
        int sum = 0;
        for (int i = 0; i < pageCount; i++)
        {
            sum += Volatile.Read(ref Start[(nuint)(firstPage + i) * 4096]);
        }

        return sum;
    }

    public bool TryAdviseHuge() => Madvise(Start, Bytes, 14) == 0;

    public bool TryAdviseSmall() => Madvise(Start, Bytes, 15) == 0;

    public void Dispose() => _ = Munmap(_raw, _rawBytes);

    [DllImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static extern void* Mmap(void* address, nuint length, int protection, int flags, int file, nint offset);

    [DllImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static extern int Munmap(void* address, nuint length);

    [DllImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static extern int Mprotect(void* address, nuint length, int protection);

    [DllImport("libc", EntryPoint = "madvise", SetLastError = true)]
    private static extern int Madvise(void* address, nuint length, int advice);
}
