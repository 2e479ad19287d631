using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace HmmFast.Benchmarks.Bars;

/// <summary>What a result file says of the machine it was measured on.</summary>
/// <param name="Cpu">The processor's name.</param>
/// <param name="Cores">Logical processors.</param>
/// <param name="MemoryMiB">Memory the process may use.</param>
/// <param name="Os">Operating system.</param>
/// <param name="Runtime">.NET version.</param>
/// <param name="Isa">Widest vector instructions in use.</param>
/// <param name="CacheBytes">Sizes of the data caches, nearest first (0 where not told).</param>
public sealed record MachineNote(string Cpu, int Cores, long MemoryMiB, string Os, string Runtime, string Isa, IReadOnlyList<long> CacheBytes)
{
    /// <summary>This machine.</summary>
    public static MachineNote Current { get; } = new(
        CpuName(),
        Environment.ProcessorCount,
        GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20,
        RuntimeInformation.OSDescription,
        RuntimeInformation.FrameworkDescription,
        Avx512Vbmi.IsSupported ? "AVX-512 VBMI" : Avx512BW.IsSupported ? "AVX-512" : Avx2.IsSupported ? "AVX2" : Vector128.IsHardwareAccelerated ? "128 bits" : "no vectors",
        Caches());

    /// <summary>The processor's name as a folder's name.</summary>
    public string Folder => string.Join('-', Cpu.Split([' ', '(', ')', '@', '/', ','], StringSplitOptions.RemoveEmptyEntries)).ToLowerInvariant();

    /// <summary>Memory that could be had now without pushing anything out.</summary>
    public static long AvailableBytes()
    {
        const string name = "MemAvailable:";
        string? line = File.Exists("/proc/meminfo") ? File.ReadLines("/proc/meminfo").FirstOrDefault(static line => line.StartsWith(name, StringComparison.Ordinal)) : null;
        if (line is not null)
        {
            return long.Parse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), System.Globalization.CultureInfo.InvariantCulture) << 10;
        }

        GCMemoryInfo memory = GC.GetGCMemoryInfo();
        return memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes;
    }

    private static string CpuName()
    {
        if (OperatingSystem.IsLinux() && File.Exists("/proc/cpuinfo"))
        {
            string? name = Field("model name");
            if (name is not null)
            {
                // Virtual machines often hide the model's name; family and model tell the generation apart.
                return name.Any(char.IsDigit) ? name : $"{name} family {Field("cpu family")} model {Field("model\t")}";
            }
        }

        return Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? RuntimeInformation.ProcessArchitecture.ToString();
    }

    private static string? Field(string name)
    {
        foreach (string line in File.ReadLines("/proc/cpuinfo"))
        {
            if (line.StartsWith(name, StringComparison.Ordinal))
            {
                return line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
            }
        }

        return null;
    }

    private static long[] Caches()
    {
        var sizes = new List<long>();
        for (int index = 0; index < 8; index++)
        {
            string folder = $"/sys/devices/system/cpu/cpu0/cache/index{index}";
            if (!File.Exists($"{folder}/size") || File.ReadAllText($"{folder}/type").StartsWith('I'))
            {
                continue;
            }

            string size = File.ReadAllText($"{folder}/size").Trim();
            long unit = size[^1] switch { 'K' => 1L << 10, 'M' => 1L << 20, _ => 1 };
            sizes.Add(long.Parse(unit == 1 ? size : size[..^1], System.Globalization.CultureInfo.InvariantCulture) * unit);
        }

        return [.. sizes];
    }
}
