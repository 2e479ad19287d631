using System.Text;
using HmmFast.Simulation.Machines;

namespace HmmFast.Topology.Tests.Readers;

/// <summary>Where the tests find their files: own samples beside the tests, recordings, and real machines outside the repository.</summary>
internal static class TestFiles
{
    public static readonly string Samples = Path.Combine(AppContext.BaseDirectory, "Readers", "Samples");
    public static readonly string Golden = Path.Combine(AppContext.BaseDirectory, "Readers", "Golden");
    public static readonly string Recordings = Path.Combine(AppContext.BaseDirectory, "Recordings");

    /// <summary>The folder of real machines' files beside the repository; null where it is not there.</summary>
    public static readonly string? Shared = FindShared();

    public static string Sample(string name) => Path.Combine(Samples, name);

    public static MachineDescription OpenSample(string name) => MachineReader.Open(Sample(name));

    public static MachineDescription ParseText(string text, string name = "test.txt") => MachineReader.Parse(Encoding.UTF8.GetBytes(text), name);

    private static string? FindShared()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            string beside = Path.Combine(at.FullName, "shared", "topologies");
            if (Directory.Exists(beside))
            {
                return beside;
            }
        }

        return null;
    }
}
