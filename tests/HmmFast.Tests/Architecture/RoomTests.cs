using HmmFast.Simulation.Captures;
using HmmFast.Testing;

namespace HmmFast.Tests.Architecture;

/// <summary>The rule of src/README.md: rooms of the engine use only rooms before them, and projects only those that they are allowed.</summary>
public sealed class RoomTests
{
    /// <summary>The rooms, each allowed to use those before it. The root namespace is the front door and may use all.</summary>
    private static readonly string[] Rooms =
    [
        "Memory", "Kernels", "Topology", "Physical", "Notifiers", "AddressSpaces", "Policies", "Faulting", "Migration", "Dma", FrontDoor,
    ];

    /// <summary>Which projects of ours each one may refer to.</summary>
    private static readonly Dictionary<string, string[]> AllowedReferences = new(StringComparer.Ordinal)
    {
        ["HmmFast.Vocabulary"] = [],
        ["HmmFast"] = ["HmmFast.Vocabulary"],
        ["HmmFast.Reference"] = ["HmmFast.Vocabulary"],
        ["HmmFast.Drivers"] = ["HmmFast.Vocabulary"],
        ["HmmFast.Simulation"] = ["HmmFast.Vocabulary", "HmmFast", "HmmFast.Reference", "HmmFast.Drivers"],
    };

    private const string FrontDoor = "";

    public static TheoryData<string> Projects => [.. AllowedReferences.Keys];

    [Fact]
    public void EngineRooms_CompiledCode_UseOnlyRoomsBeforeThem()
    {
        string[] wrong = [.. WrongUses(TypeUses.Of(PathOf("HmmFast")), Rooms, "HmmFast")];
        Assert.True(wrong.Length == 0, $"{wrong.Length} uses against the order {string.Join(", ", Rooms)}:\n{string.Join('\n', wrong)}");
    }

    [Fact]
    public void EngineRooms_ReversedOrder_IsSeen()
    {
        // The check can fail: under the opposite order, what is right now is wrong.
        string[] reversed = [.. Rooms.Reverse()];
        Assert.NotEmpty(WrongUses(TypeUses.Of(PathOf("HmmFast")), reversed, "HmmFast"));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Projects_CompiledReferences_AreTheAllowedOnes(string project)
    {
        IEnumerable<string> ours = TypeUses.ReferencedAssemblies(PathOf(project)).Where(name => name.StartsWith("HmmFast", StringComparison.Ordinal));
        Assert.Empty(ours.Except(AllowedReferences[project]));
    }

    [Fact]
    public void Reference_CompiledReferences_AreTheFrameworkAndTheVocabulary()
    {
        // Independence is what makes the reference worth comparing with: no library, and nothing of the engine.
        Assert.All(
            TypeUses.ReferencedAssemblies(PathOf("HmmFast.Reference")),
            name => Assert.True(name == "HmmFast.Vocabulary" || name.StartsWith("System.", StringComparison.Ordinal), name));
    }

    [Fact]
    public void Engine_CompiledReferences_HaveNoConsoleAndNoJson()
    {
        Assert.DoesNotContain("System.Console", TypeUses.ReferencedAssemblies(PathOf("HmmFast")));
        Assert.DoesNotContain("System.Text.Json", TypeUses.ReferencedAssemblies(PathOf("HmmFast")));
    }

    [Fact]
    public void ProjectFiles_References_MatchTheAllowedOnes()
    {
        // A reference that compiled code does not use yet is not in the assembly; the project files say it.
        string source = Path.Combine(RepositoryRoot.Find(), "src");
        foreach (string file in Directory.GetFiles(source, "*.csproj", SearchOption.AllDirectories))
        {
            string project = Path.GetFileNameWithoutExtension(file);
            if (!AllowedReferences.TryGetValue(project, out string[]? allowed))
            {
                continue;
            }

            IEnumerable<string> references = System.Xml.Linq.XDocument.Load(file).Descendants("ProjectReference")
                .Select(element => Path.GetFileNameWithoutExtension(element.Attribute("Include")!.Value.Replace('\\', '/')));
            Assert.Empty(references.Except(allowed));
        }
    }

    [Fact]
    public void WrongUses_UnknownRoom_IsReported()
    {
        HashSet<(string, string)> uses = [("HmmFast.Attic.Box", "HmmFast.Memory.NativeColumn")];
        Assert.Single(WrongUses(uses, Rooms, "HmmFast"));
    }

    private static string PathOf(string project) => Path.Combine(Path.GetDirectoryName(typeof(Capture).Assembly.Location)!, $"{project}.dll");

    private static IEnumerable<string> WrongUses(IReadOnlySet<(string User, string Used)> uses, string[] order, string root)
    {
        foreach ((string user, string used) in uses)
        {
            if (RoomOf(user, root) is not { } from || RoomOf(used, root) is not { } to || from == to)
            {
                continue;
            }

            int fromIndex = Array.IndexOf(order, from);
            int toIndex = Array.IndexOf(order, to);
            if (fromIndex < 0 || toIndex < 0)
            {
                yield return $"{user} and {used}: room '{(fromIndex < 0 ? from : to)}' is not in the order";
            }
            else if (toIndex > fromIndex)
            {
                yield return $"{user} uses {used}";
            }
        }
    }

    // Types without our namespace are the compiler's own.
    private static string? RoomOf(string type, string root)
    {
        if (!type.StartsWith(root + ".", StringComparison.Ordinal))
        {
            return null;
        }

        string rest = type[(root.Length + 1)..];
        int dot = rest.IndexOf('.', StringComparison.Ordinal);
        return dot < 0 ? FrontDoor : rest[..dot];
    }
}
