using System.Diagnostics;
using System.Runtime.InteropServices;

namespace HmmFast.Benchmarks.Bars;

/// <summary>
/// Nanoseconds that this thread has run. Time in which another process had the core does not count, so that ratios hold on a machine that is not idle;
/// where the system has no such clock it is plain elapsed time.
/// </summary>
internal static unsafe partial class ThreadClock
{
    private const int LinuxThreadCpuTime = 3;

    /// <summary>What is measured, in words.</summary>
    public static string Name => OperatingSystem.IsLinux() ? "thread CPU time" : "elapsed time";

    /// <summary>Nanoseconds since some moment.</summary>
    public static long NowNs()
    {
        if (OperatingSystem.IsLinux())
        {
            long* time = stackalloc long[2];
            if (ClockGetTime(LinuxThreadCpuTime, time) == 0)
            {
                return (time[0] * 1_000_000_000L) + time[1];
            }
        }

        return (long)(Stopwatch.GetTimestamp() * (1e9 / Stopwatch.Frequency));
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, long* time);
}
