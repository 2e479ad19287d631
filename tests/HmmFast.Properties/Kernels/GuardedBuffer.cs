using System.Runtime.InteropServices;

namespace HmmFast.Properties.Kernels;

/// <summary>
/// A buffer whose neighbours cannot be touched: an inaccessible page lies before and behind it, and it is pushed flush against one of them. A loop
/// that reads or writes one byte too far on that side ends the process. On Windows it is plain memory and guards nothing.
/// </summary>
/// <typeparam name="T">The element.</typeparam>
public sealed unsafe class GuardedBuffer<T> : IDisposable
    where T : unmanaged
{
    private const int ProtNone = 0;
    private const int ProtReadWrite = 3;
    private readonly byte* _mapping;
    private readonly nuint _mappingBytes;
    private readonly T* _first;
    private readonly int _count;

    /// <summary>Makes a buffer of zeroes.</summary>
    /// <param name="count">Elements; none is allowed and leaves two guard pages.</param>
    /// <param name="atEnd">True: the last element ends where the guard page begins. False: the first begins where the other ends.</param>
    /// <exception cref="InvalidOperationException">The system refuses; the message has the size and its error number.</exception>
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
            NativeMemory.Clear(_mapping, _mappingBytes);
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

    /// <summary>The elements. Valid until the buffer is disposed.</summary>
    public Span<T> Span => new(_first, _count);

    /// <summary>The address of element 0.</summary>
    public T* Pointer => _first;

    /// <inheritdoc/>
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

/// <summary>What needs no element type to be named.</summary>
public static class GuardedBuffer
{
    /// <summary>True where the pages beside a buffer cannot be touched.</summary>
    public static bool IsGuarding => !OperatingSystem.IsWindows();

    /// <summary>Makes a buffer of some values.</summary>
    /// <param name="values">What it holds.</param>
    /// <param name="atEnd">As the constructor's.</param>
    public static GuardedBuffer<T> From<T>(ReadOnlySpan<T> values, bool atEnd)
        where T : unmanaged
    {
        GuardedBuffer<T> buffer = new(values.Length, atEnd);
        values.CopyTo(buffer.Span);
        return buffer;
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
