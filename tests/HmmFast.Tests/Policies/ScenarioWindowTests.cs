using System.Text;
using HmmFast.Simulation.Comparison;
using HmmFast.Simulation.Machines;

namespace HmmFast.Tests.Policies;

/// <summary>Windows against the BARs that a machine's file gives.</summary>
public class ScenarioWindowTests
{
    [Fact]
    public void Read_NoWindow_IsTheLargestMemoryBar()
    {
        PolicyScenario scenario = Read("");
        Assert.Equal((256UL << 20, 0x1_0000_0000UL), (scenario.Devices[0].BarBytes, scenario.Devices[0].BarStart));

        // 1 GiB of memory, of which a BAR of 256 MiB shows the first quarter.
        Assert.Equal(256UL << 8, scenario.MakePlan([1 << 18, 512]).Members[0].WindowPageCount);
        Assert.Equal(2UL << 8, scenario.MakePlan([1 << 18, 512]).Members[1].WindowPageCount);
    }

    [Theory]
    [InlineData("1f0000000", "overlaps that of \"gpu0\" (line 17) at 0x100000000 of 256 MiB", "108000000")]
    [InlineData("1f0000000", "", "110000000")]
    public void Read_BarsThatOverlap_AreRefusedByLine(string start, string says, string other)
    {
        if (says.Length == 0)
        {
            Assert.Equal(0x1_1000_0000UL, Read("", start, other).Devices[1].BarStart);
            return;
        }

        MachineReadException thrown = Assert.Throws<MachineReadException>(() => Read("", start, other));
        Assert.Equal(18, thrown.Line);
        Assert.Contains(says, thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_WindowLargerThanTheBar_IsRefusedByLine()
    {
        MachineReadException thrown = Assert.Throws<MachineReadException>(() => Read(", \"window\": \"512MiB\""));
        Assert.Equal(17, thrown.Line);
        Assert.Contains("larger than the BAR of 256 MiB that the machine gives", thrown.Message, StringComparison.Ordinal);
    }

    private static PolicyScenario Read(string window, string start = "1f0000000", string? other = null) => ScenarioReader.Parse(
        Encoding.UTF8.GetBytes($$"""
        {
          "format": "hmmfast-scenario",
          "machine": {
            "name": "two functions",
            "functions": [
              { "address": "0000:16:00.0", "kind": "endpoint", "rootBus": "0000:16", "bars": [
                { "index": 0, "start": "80000000", "sizeBytes": "1000000" },
                { "index": 2, "start": "100000000", "sizeBytes": "10000000" },
                { "index": 5, "start": "0", "sizeBytes": "40000000", "isIo": true }
              ] },
              { "address": "0000:16:01.0", "kind": "endpoint", "rootBus": "0000:16", "bars": [
                { "index": 0, "start": "{{other ?? start}}", "sizeBytes": "10000000" }
              ] }
            ]
          },
          "devices": [
            { "name": "gpu0", "address": "0000:16:00.0", "memory": "1GiB"{{window}} },
            { "name": "gpu1", "address": "0000:16:01.0", "memory": "auto" }
          ],
          "placement": [ { "on": "gpu0", "run": "2MiB" } ],
          "steps": [ { "do": "fault", "by": "gpu1" } ]
        }
        """),
        "mine.json");
}
