using System.CommandLine;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using HmmFast.Kernels;
using HmmFast.Simulation.Captures;
using Spectre.Console;

namespace HmmFast.Cli;

/// <summary><c>hmmfast info</c>: what this machine and this build bring.</summary>
public static class InfoCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create(CommandIo io)
    {
        Option<bool> json = new("--json") { Description = "Print JSON." };
        Command command = new("info", "Tells versions, vector widths in use, memory, and what the kernel lets this user see.") { json };
        command.SetAction(parsed =>
        {
            IReadOnlyList<(string Name, string Label, object Value)> facts = Collect();
            if (parsed.GetValue(json))
            {
                JsonOutput.Write(io, facts.ToDictionary(fact => fact.Name, fact => fact.Value));
                return ExitCode.Ok;
            }

            Table table = new() { Border = TableBorder.Rounded, ShowHeaders = false };
            table.AddColumns("fact", "value");
            foreach ((_, string label, object value) in facts)
            {
                table.AddRow(new Text(label), new Text(Convert.ToString(value, CultureInfo.InvariantCulture) ?? ""));
            }

            io.Tables.Write(table);
            return ExitCode.Ok;
        });
        return command;
    }

    private static List<(string Name, string Label, object Value)> Collect()
    {
        GCMemoryInfo memory = GC.GetGCMemoryInfo();
        bool isLinux = OperatingSystem.IsLinux();
        List<(string, string, object)> facts =
        [
            ("version", "hmmfast", typeof(InfoCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown"),
            ("runtime", ".NET", RuntimeInformation.FrameworkDescription),
            ("os", "system", $"{RuntimeInformation.OSDescription} {RuntimeInformation.OSArchitecture}"),
            ("cpu", "CPU", CpuName()),
            ("processors", "processors", Environment.ProcessorCount),
            ("engineKernels", "engine's loops in use", KernelSet.Best.Name),
            ("engineWidthBits", "engine's vectors, bits", KernelSet.Best.WidthBits),
            ("engineKernelsAvailable", "engine's loops available", string.Join(", ", KernelSet.All.Select(set => set.Name))),
            ("vectors", "vectors of this machine", VectorNames()),
            ("memoryTotalBytes", "memory, bytes", memory.TotalAvailableMemoryBytes),
            ("pageSizeBytes", "page, bytes", Environment.SystemPageSize),
            ("hugePages", "transparent huge pages", isLinux ? ReadOr("/sys/kernel/mm/transparent_hugepage/enabled", "not there") : "not Linux"),
            ("pagemapScan", "PAGEMAP_SCAN", isLinux && ProcessCapture.HasPagemapScan()),
            ("framesVisible", "frame numbers visible", isLinux && ProcessCapture.CanSeeFrames()),
        ];
        return facts;
    }

    private static string VectorNames()
    {
        List<string> names = [];
        Add(Vector128.IsHardwareAccelerated, "128");
        Add(Vector256.IsHardwareAccelerated, "256");
        Add(Vector512.IsHardwareAccelerated, "512");
        Add(Avx2.IsSupported, "AVX2");
        Add(Avx512BW.IsSupported, "AVX-512BW");
        Add(Avx512Vbmi.IsSupported, "AVX-512VBMI");
        return names.Count == 0 ? "none: scalar code only" : string.Join(", ", names);

        void Add(bool has, string name)
        {
            if (has)
            {
                names.Add(name);
            }
        }
    }

    private static string CpuName()
    {
        if (!OperatingSystem.IsLinux() || !File.Exists("/proc/cpuinfo"))
        {
            return RuntimeInformation.ProcessArchitecture.ToString();
        }

        foreach (string line in File.ReadLines("/proc/cpuinfo"))
        {
            if (line.StartsWith("model name", StringComparison.Ordinal))
            {
                return line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
            }
        }

        return RuntimeInformation.ProcessArchitecture.ToString();
    }

    private static string ReadOr(string path, string otherwise) => File.Exists(path) ? File.ReadAllText(path).Trim() : otherwise;
}
