using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace HmmFast.Simulation.Captures.Live;

/// <summary>The PAGEMAP_SCAN ioctl (Linux 6.7 and later) on an open /proc/N/pagemap.</summary>
internal static partial class PagemapScan
{
    /// <summary>Page categories as the ioctl numbers them.</summary>
    [Flags]
    public enum Categories : ulong
    {
        None = 0,
        Present = 1 << 3,
        Swapped = 1 << 4,
        Zero = 1 << 5,
        Huge = 1 << 6,
    }

    /// <summary>Neighbouring pages with equal categories.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Region
    {
        public ulong Start;
        public ulong End;
        public Categories Categories;
    }

    private const ulong Request = 0xC0606610; // _IOWR('f', 16, 96 bytes)
    private const int NoSuchIoctl = 25;
    private const int InvalidArgument = 22;
    private const int NoSuchProcess = 3;

    /// <summary>Finds populated regions from an address on.</summary>
    /// <param name="pagemap">The open file.</param>
    /// <param name="start">First byte; afterwards, where the next call goes on.</param>
    /// <param name="end">Byte after the last.</param>
    /// <param name="regions">Receives regions that are present or swapped.</param>
    /// <param name="count">Regions found.</param>
    /// <returns>False when this kernel does not have the call; nothing is changed then.</returns>
    /// <exception cref="IOException">The call failed for another reason.</exception>
    public static unsafe bool TryScan(SafeFileHandle pagemap, ref ulong start, ulong end, Span<Region> regions, out int count)
    {
        int error;
        fixed (Region* vector = regions)
        {
            Argument argument = new()
            {
                Size = (ulong)sizeof(Argument),
                Start = start,
                End = end,
                Vector = (ulong)vector,
                VectorLength = (ulong)regions.Length,
                AnyOf = Categories.Present | Categories.Swapped,
                Return = Categories.Present | Categories.Swapped | Categories.Zero | Categories.Huge,
            };
            bool isHeld = false;
            try
            {
                pagemap.DangerousAddRef(ref isHeld);
                count = Ioctl((int)pagemap.DangerousGetHandle(), (nuint)Request, &argument);
            }
            finally
            {
                if (isHeld)
                {
                    pagemap.DangerousRelease();
                }
            }

            if (count >= 0)
            {
                start = argument.WalkEnd;
                return true;
            }

            error = Marshal.GetLastPInvokeError();
        }

        count = 0;
        return error switch
        {
            NoSuchIoctl or InvalidArgument => false,
            NoSuchProcess => true,
            _ => throw new IOException($"PAGEMAP_SCAN of 0x{start:x} to 0x{end:x} failed: {Marshal.GetPInvokeErrorMessage(error)}."),
        };
    }

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static unsafe partial int Ioctl(int file, nuint request, Argument* argument);

    [StructLayout(LayoutKind.Sequential)]
    private struct Argument
    {
        public ulong Size;
        public ulong Flags;
        public ulong Start;
        public ulong End;
        public ulong WalkEnd;
        public ulong Vector;
        public ulong VectorLength;
        public ulong MaxPages;
        public Categories Inverted;
        public Categories AllOf;
        public Categories AnyOf;
        public Categories Return;
    }
}
