using System.Runtime.InteropServices;

namespace HmmFast.Tests.Memory;

/// <summary>
/// A buffer whose neighbours cannot be touched: an inaccessible page lies before and behind it, and it is pushed flush against one of them. A loop
/// that reads or writes one byte too far on that side ends the test process. Where the system has no mmap it is a plain array.
/// </summary>
internal sealed unsafe class GuardedBuffer<T> : IDisposable
    where T : unmanaged
{
    private const int ProtNone = 0;
    private const int ProtReadWrite = 3;
    private readonly byte* _mapping;
    private readonly nuint _mappingBytes;
    private readonly T* _first;
    private readonly int _count;

    public GuardedBuffer(int count, bool atEnd)
    {
        _count = count;
        nuint page = (nuint)Environment.SystemPageSize;
        nuint bytes = (nuint)count * (nuint)sizeof(T);
        nuint inner = (bytes + page - 1) / page * page;
        _mappingBytes = inner + (2 * page);
        if (OperatingSystem.IsWindows())
        {
            _mapping = (byte*)NativeMemory.AlignedAlloc(_mappingBytes, page);
        }
        else
        {
            int flags = OperatingSystem.IsMacOS() ? 0x1002 : 0x22;
            _mapping = (byte*)GuardedBufferCalls.MMap(null, _mappingBytes, ProtNone, flags, -1, 0);
            if ((nint)_mapping == -1 || (inner > 0 && GuardedBufferCalls.MProtect(_mapping + page, inner, ProtReadWrite) != 0))
            {
                throw new InvalidOperationException($"No guarded buffer of {bytes} bytes: system error {Marshal.GetLastPInvokeError()}.");
            }
        }

        _first = (T*)(atEnd ? _mapping + page + inner - bytes : _mapping + page);
    }

    public Span<T> Span => new(_first, _count);

    public T* Pointer => _first;

    public static GuardedBuffer<T> From(ReadOnlySpan<T> values, bool atEnd)
    {
        GuardedBuffer<T> buffer = new(values.Length, atEnd);
        values.CopyTo(buffer.Span);
        return buffer;
    }

    public void Dispose()
    {
        if (OperatingSystem.IsWindows())
        {
            NativeMemory.AlignedFree(_mapping);
        }
        else
        {
            _ = GuardedBufferCalls.MUnmap(_mapping, _mappingBytes);
        }
    }
}

/// <summary>The system calls; generic types cannot declare them.</summary>
internal static unsafe partial class GuardedBufferCalls
{
    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    public static partial void* MMap(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    public static partial int MProtect(void* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    public static partial int MUnmap(void* address, nuint length);
}
