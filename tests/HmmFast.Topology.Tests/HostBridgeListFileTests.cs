using System.Text;
using HmmFast.Simulation.Machines;

namespace HmmFast.Topology.Tests;

public class HostBridgeListFileTests
{
    private static HostBridgeList Parse(string json) => HostBridgeListFile.Parse(Encoding.UTF8.GetBytes(json), "list.json");

    [Fact]
    public void Parse_WholeList_KeepsLinesRulesAndVersion()
    {
        HostBridgeList list = Parse("""
            { // a kernel of one's own
              "name": "mine", "kernelVersion": "7.0",
              "processors": [{"vendor": "AuthenticAMD", "minFamily": 23}],
              "lines": [{"vendor": "8086", "device": "3c00", "sameHostBridgeOnly": true}, {"vendor": "1022", "device": "1480"},],
            }
            """);

        Assert.Equal("mine (kernel 7.0)", list.ToString());
        Assert.Equal(["8086:3c00 (same host bridge only)", "1022:1480"], list.Entries.ToArray().Select(line => line.ToString()));
        Assert.Equal(0, list.IndexOfCpuRule(new CpuIdentity("AuthenticAMD", 25)));
        Assert.Equal(-1, list.IndexOfCpuRule(new CpuIdentity("AuthenticAMD", CpuIdentity.UnknownFamily)));
    }

    [Theory]
    [InlineData("", "list.json")]
    [InlineData("[]", "list.json")]
    [InlineData("{\"name\":\"x\"}", "list.json")]
    [InlineData("{\"name\":\"\",\"lines\":[]}", "list.json")]
    [InlineData("{\"name\":\"x\",\"lines\":[{\"vendor\":\"80866\",\"device\":\"1\"}]}", "80866")]
    [InlineData("{\"name\":\"x\",\"lines\":[{\"vendor\":8086,\"device\":\"1\"}]}", "list.json")]
    [InlineData("{\"name\":\"x\",\"lines\":[{\"vendor\":\"1\",\"device\":\"1\"},{\"vendor\":\"1\",\"device\":\"1\"}]}", "repeats")]
    [InlineData("{\"name\":\"x\",\"lines\":[],\"processors\":[{\"vendor\":\"A\",\"minFamily\":9999}]}", "9999")]
    [InlineData("{\"name\":\"x\",\"lines\":[[[[[[[[[[[]]]]]]]]]]]}", "list.json")]
    public void Parse_SomethingElse_NamesFileAndValue(string json, string says)
    {
        FormatException e = Assert.Throws<FormatException>(() => Parse(json));
        Assert.StartsWith("list.json", e.Message, StringComparison.Ordinal);
        Assert.Contains(says, e.Message, StringComparison.Ordinal);
    }
}
