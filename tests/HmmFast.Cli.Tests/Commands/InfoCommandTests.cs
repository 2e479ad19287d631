using System.Runtime.InteropServices;
using System.Text.Json;
using HmmFast.Kernels;

namespace HmmFast.Cli.Tests.Commands;

public sealed class InfoCommandTests
{
    [Fact]
    public void Info_Json_HasTheFactsOfThisProcess()
    {
        CommandRun run = CommandRun.Of("info", "--json");
        Assert.Equal((ExitCode.Ok, ""), (run.ExitCode, run.Error));
        using JsonDocument document = JsonDocument.Parse(run.Output);
        JsonElement root = document.RootElement;
        Assert.StartsWith(typeof(HmmFastCommand).Assembly.GetName().Version!.ToString(3), Text("version"), StringComparison.Ordinal);
        Assert.Equal(RuntimeInformation.FrameworkDescription, Text("runtime"));
        Assert.Contains(RuntimeInformation.OSArchitecture.ToString(), Text("os"), StringComparison.Ordinal);
        Assert.NotEqual("", Text("cpu"));
        Assert.Equal(Environment.ProcessorCount, root.GetProperty("processors").GetInt32());
        Assert.Equal(KernelSet.Best.Name, Text("engineKernels"));
        Assert.Equal(KernelSet.Best.WidthBits, root.GetProperty("engineWidthBits").GetInt32());
        Assert.Equal(KernelSet.All.Select(kernels => kernels.Name), Text("engineKernelsAvailable").Split(", "));
        Assert.Equal(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, root.GetProperty("memoryTotalBytes").GetInt64());
        Assert.Equal(Environment.SystemPageSize, root.GetProperty("pageSizeBytes").GetInt32());
        if (!OperatingSystem.IsLinux())
        {
            Assert.False(root.GetProperty("pagemapScan").GetBoolean());
            Assert.False(root.GetProperty("framesVisible").GetBoolean());
        }

        string Text(string name) => root.GetProperty(name).GetString()!;
    }

    [Fact]
    public void Info_Table_HasEveryFactUnderAName()
    {
        CommandRun run = CommandRun.Of("info");
        Assert.Equal((ExitCode.Ok, ""), (run.ExitCode, run.Error));
        foreach (string expected in (string[])
            [
                "hmmfast", ".NET", "system", "CPU", "processors", "engine's loops in use", "engine's vectors, bits", "engine's loops available", "memory, bytes",
                "page, bytes", "transparent huge pages", "PAGEMAP_SCAN", "frame numbers visible", RuntimeInformation.FrameworkDescription, KernelSet.Best.Name,
            ])
        {
            Assert.Contains(expected, run.Output, StringComparison.Ordinal);
        }
    }
}
