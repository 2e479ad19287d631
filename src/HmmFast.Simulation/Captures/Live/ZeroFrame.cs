using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace HmmFast.Simulation.Captures.Live;

/// <summary>Finds the frame of the kernel's zero page by reading a fresh page of this process and looking where it stands.</summary>
internal static unsafe partial class ZeroFrame
{
    private const int ReadAccess = 1;
    private const int PrivateAnonymous = 0x22;
    private const ulong FrameMask = (1UL << 55) - 1;

    /// <summary>The frame; 0 where frame numbers do not show.</summary>
    public static ulong Find()
    {
        byte* page = Map(null, PageOrder.PageSizeBytes, ReadAccess, PrivateAnonymous, -1, 0);
        if (page == (byte*)-1)
        {
            return 0;
        }

        try
        {
            _ = Volatile.Read(ref *page);
            using SafeFileHandle pagemap = File.OpenHandle("/proc/self/pagemap");
            Span<byte> word = stackalloc byte[8];
            return RandomAccess.Read(pagemap, word, (long)((ulong)page / PageOrder.PageSizeBytes * 8)) == word.Length
                ? BinaryPrimitives.ReadUInt64LittleEndian(word) & FrameMask
                : 0;
        }
        finally
        {
            _ = Unmap(page, PageOrder.PageSizeBytes);
        }
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial byte* Map(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(void* address, nuint length);
}
