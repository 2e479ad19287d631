using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace HmmFast.Simulation.Captures.Live;

/// <summary>Tells from frame numbers and /proc/kpageflags whether 512 pagemap entries are one 2 MiB page.</summary>
/// <remarks>Only for readers that see frame numbers and have no PAGEMAP_SCAN. A huge page that is mapped page by page looks the same here.</remarks>
internal sealed class HugePageTest : IDisposable
{
    private const ulong FrameMask = (1UL << 55) - 1;
    private const ulong TransparentHugePage = 1UL << 22;
    private const ulong HugeTlbPage = 1UL << 17;
    private readonly SafeFileHandle _flags;

    private HugePageTest(SafeFileHandle flags) => _flags = flags;

    /// <summary>Opens the flags; null where they may not be read.</summary>
    public static HugePageTest? TryOpen()
    {
        try
        {
            return new HugePageTest(File.OpenHandle("/proc/kpageflags"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>True when the entries are 512 consecutive frames from an aligned one that belongs to a huge page.</summary>
    public bool IsHuge(ReadOnlySpan<ulong> entries)
    {
        ulong first = entries[0];
        ulong frame = first & FrameMask;
        if (first >> 63 == 0 || frame == 0 || frame % PageOrder.PagesPerBlock != 0)
        {
            return false;
        }

        for (int i = 1; i < entries.Length; i++)
        {
            if (entries[i] != first + (ulong)i)
            {
                return false;
            }
        }

        Span<byte> word = stackalloc byte[8];
        return RandomAccess.Read(_flags, word, (long)frame * word.Length) == word.Length
            && (BinaryPrimitives.ReadUInt64LittleEndian(word) & (TransparentHugePage | HugeTlbPage)) != 0;
    }

    public void Dispose() => _flags.Dispose();
}
