using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace HmmFast.Benchmarks.Bars;

/// <summary>Loops without logic that move the bytes which the engine's kernels must move: what the machine's memory allows.</summary>
public sealed unsafe partial class MemoryLimits : IDisposable
{
    private readonly byte* _classes;
    private readonly uint* _pfns;
    private readonly ulong* _from;
    private readonly ulong* _to;

    public MemoryLimits(ulong pageCount)
    {
        PageCount = pageCount;
        _classes = (byte*)Allocate(pageCount);
        _pfns = (uint*)Allocate(pageCount * sizeof(uint));
        _from = (ulong*)Allocate(pageCount * sizeof(ulong));
        _to = (ulong*)Allocate(pageCount * sizeof(ulong));
    }

    public ulong PageCount { get; }

    /// <summary>Copies an array of one 8-byte word a page.</summary>
    public Contender Copy(string name = "memcpy of the result array") => new(name, PageCount, CopyWords);

    /// <summary>Reads the class column (1 byte a page) and adds it up.</summary>
    public Contender ReadClasses(string name = "read of the class column") => new(name, PageCount, () => Sink = Sum((byte*)_classes, PageCount));

    /// <summary>Reads both columns (5 bytes a page) and adds them up.</summary>
    public Contender ReadColumns(string name = "read of both columns") =>
        new(name, PageCount, () => Sink = Sum(_classes, PageCount) + Sum((byte*)_pfns, PageCount * sizeof(uint)));

    /// <summary>Writes both columns (5 bytes a page): the limit of a fault in empty memory.</summary>
    public Contender WriteColumns(string name = "write of both columns") => new(name, PageCount, WriteBoth);

    /// <summary>Copies both columns (5 bytes a page): the limit of a fork.</summary>
    public Contender CopyColumns(string name = "copy of both columns") => new(name, PageCount, CopyBoth);

    /// <summary>Keeps results that would otherwise be dead.</summary>
    public static ulong Sink { get; private set; }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_classes);
        NativeMemory.AlignedFree(_pfns);
        NativeMemory.AlignedFree(_from);
        NativeMemory.AlignedFree(_to);
    }

    private static void* Allocate(ulong byteCount)
    {
        const nuint HugePage = 2 << 20;
        void* memory = NativeMemory.AlignedAlloc((nuint)byteCount, byteCount >= HugePage ? HugePage : 64);
        if (OperatingSystem.IsLinux() && byteCount >= HugePage)
        {
            // The engine's dense columns are advised huge, too: the limits are measured on equal terms. Advice may be refused.
            const int MadvHugePage = 14;
            _ = Madvise(memory, (nuint)byteCount, MadvHugePage);
        }

        for (ulong i = 0; i < byteCount; i++)
        {
            ((byte*)memory)[i] = (byte)((i * 7) ^ (i >> 9));
        }

        return memory;
    }

    [DllImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Madvise(void* address, nuint length, int advice);

    private void CopyWords() => Buffer.MemoryCopy(_from, _to, PageCount * sizeof(ulong), PageCount * sizeof(ulong));

    private void WriteBoth()
    {
        NativeMemory.Fill(_classes, (nuint)PageCount, 7);
        ulong i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            Vector512<uint> next = Vector512.CreateSequence(1u, 1u);
            for (; i + 16 <= PageCount; i += 16)
            {
                next.Store(_pfns + i);
                next += Vector512.Create(16u);
            }
        }
        else
        {
            Vector256<uint> next = Vector256.CreateSequence(1u, 1u);
            for (; i + 8 <= PageCount; i += 8)
            {
                next.Store(_pfns + i);
                next += Vector256.Create(8u);
            }
        }

        for (; i < PageCount; i++)
        {
            _pfns[i] = (uint)i + 1;
        }
    }

    private void CopyBoth()
    {
        // The result array's two halves stand in for a second pair of columns: the same bytes, already there.
        Buffer.MemoryCopy(_classes, _to, PageCount, PageCount);
        Buffer.MemoryCopy(_pfns, _from, PageCount * sizeof(uint), PageCount * sizeof(uint));
    }

    private static ulong Sum(byte* from, ulong byteCount)
    {
        ulong i = 0;
        ulong total = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            Vector512<ulong> a = default, b = default, c = default, d = default;
            for (; i + 256 <= byteCount; i += 256)
            {
                a += Vector512.Load((ulong*)(from + i));
                b += Vector512.Load((ulong*)(from + i + 64));
                c += Vector512.Load((ulong*)(from + i + 128));
                d += Vector512.Load((ulong*)(from + i + 192));
            }

            total = Vector512.Sum(a + b + c + d);
        }
        else
        {
            Vector256<ulong> a = default, b = default;
            for (; i + 64 <= byteCount; i += 64)
            {
                a += Vector256.Load((ulong*)(from + i));
                b += Vector256.Load((ulong*)(from + i + 32));
            }

            total = Vector256.Sum(a + b);
        }

        for (; i < byteCount; i++)
        {
            total += from[i];
        }

        return total;
    }
}
