using HmmFast.Drivers.Fabric;
using HmmFast.Drivers.Importing;
using HmmFast.Policies;
using HmmFast.Simulation.Captures;
using HmmFast.Simulation.Costs;
using HmmFast.Simulation.Machines;
using HmmFast.Simulation.Machines.Readers;
using HmmFast.Simulation.Scenarios;
using HmmFast.Topology;

namespace HmmFast.Simulation.Comparison;

/// <summary>Reads scenario files (JSON with comments; scenario.schema.json says the members) and the embedded scenarios.</summary>
/// <remarks>Everything wrong is a <see cref="MachineReadException"/> with file, line and value; a misspelt member names the nearest one.</remarks>
public static partial class ScenarioReader
{
    private const string ResourcePrefix = "HmmFast.Simulation.Scenarios.";
    private const string ScenarioSuffix = ".scenario.json";
    private const string MachineSuffix = ".machine.json";
    private const string FormatName = "hmmfast-scenario";
    private const string HowToGetAMachine =
        "A machine is the file that a tool made on it, such as \"lspci -vvv > FILE\" (as root); put it where the scenario says, or name an embedded machine: two-gpus, four-gpus";
    private const ulong MaxPages = 1UL << 31;

    private static readonly string[] EmbeddedMachines = ["two-gpus", "four-gpus"];

    private static readonly string[] RootMembers =
    [
        "$schema", "format", "version", "name", "description", "machine", "hostBridgeList", "costs", "checksPaid", "devices", "links", "paths", "denied",
        "interconnect", "probeOrder", "memory", "process", "systemMemory", "placement", "faultSize", "callSize", "retryLimit", "habit", "typedOutputOf", "rounds", "uses", "steps",
    ];

    /// <summary>Names of the embedded scenarios, the default first.</summary>
    public static IReadOnlyList<string> EmbeddedNames { get; } =
    [
        "default", "unreachable-peer", "link-down", "clique-chain", "clique-ring", "mixed-ranges", "small-bar", "unplug", "two-clients", "own-behind",
    ];

    /// <summary>An embedded scenario by name, or one from a file.</summary>
    /// <param name="nameOrPath">The name or the path.</param>
    /// <exception cref="MachineReadException">Neither an embedded scenario nor a file that can be read, or the file is wrong.</exception>
    public static PolicyScenario Open(string nameOrPath)
    {
        ArgumentNullException.ThrowIfNull(nameOrPath);
        if (EmbeddedNames.Contains(nameOrPath))
        {
            return Read(new SourceText($"the embedded scenario {nameOrPath}", Resource(nameOrPath + ScenarioSuffix)!), null);
        }

        if (!File.Exists(nameOrPath))
        {
            throw new MachineReadException(nameOrPath, 0, null, $"is neither a file nor an embedded scenario; the nearest of those is '{NearestName.Find(nameOrPath, EmbeddedNames)}', and there are {string.Join(", ", EmbeddedNames)}");
        }

        try
        {
            FileInfo file = new(nameOrPath);
            return file.Length <= MachineReader.MaxFileBytes
                ? Read(new SourceText(nameOrPath, File.ReadAllBytes(nameOrPath)), file.DirectoryName)
                : throw new MachineReadException(nameOrPath, 0, null, $"{file.Length} bytes; files up to {MachineReader.MaxFileBytes} bytes are read");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new MachineReadException(nameOrPath, 0, null, $"cannot be read: {fault.Message}", fault);
        }
    }

    /// <summary>Reads a scenario's text.</summary>
    /// <param name="content">The text, in UTF-8.</param>
    /// <param name="name">What to call it in errors.</param>
    /// <param name="folder">Where machine files are looked for; null for the working directory.</param>
    /// <exception cref="MachineReadException">The text is wrong.</exception>
    public static PolicyScenario Parse(ReadOnlyMemory<byte> content, string name, string? folder = null) =>
        Read(new SourceText(name, content), folder);

    /// <summary>The text of an embedded scenario, to start an own one from.</summary>
    /// <param name="name">One of <see cref="EmbeddedNames"/>.</param>
    public static string EmbeddedText(string name) => System.Text.Encoding.UTF8.GetString(
        Resource(name + ScenarioSuffix) ?? throw new ArgumentException($"There is no embedded scenario \"{name}\".", nameof(name)));

    private static byte[]? Resource(string name)
    {
        using Stream? stream = typeof(ScenarioReader).Assembly.GetManifestResourceStream(ResourcePrefix + name);
        if (stream is null)
        {
            return null;
        }

        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static PolicyScenario Read(SourceText text, string? folder)
    {
        JsonPart root = JsonPart.Parse(text);
        if (!root.IsObject || root.Take("format") is not { IsText: true, Value: FormatName })
        {
            throw text.Error(root.Line, null, $"this is no scenario: one has \"format\": \"{FormatName}\"");
        }

        if (root.Int("version", int.MaxValue) is int version and not 1)
        {
            throw root.Require("version").Error($"version 1 is read, not {version}");
        }

        root.Expect(RootMembers);
        string? name = root.Text("name");
        string? description = root.Text("description");
        MachineDescription machine = ReadMachine(text, root.Require("machine"), folder);
        HostBridgeList bridges = ReadBridges(root.Take("hostBridgeList"));
        CostModel costs = ReadCosts(text, root.Take("costs")).WithChecksPaid(root.Take("checksPaid")?.Enum<CheckCharge>("way to charge checks") ?? CheckCharge.PerRun);
        List<ScenarioDevice> devices = [];
        foreach (JsonPart part in root.Require("devices").Items())
        {
            devices.Add(ReadDevice(text, part, devices, machine));
        }

        List<FabricLink> links = [];
        List<string> linkNames = [];
        foreach (JsonPart part in root.Take("links")?.Items() ?? [])
        {
            ReadLink(part, devices, links, linkNames, costs);
        }

        List<(int, int)> denied = [];
        foreach (JsonPart part in root.Take("denied")?.Items() ?? [])
        {
            part.Expect("provider", "client");
            denied.Add((Device(part.Require("provider"), devices), Device(part.Require("client"), devices)));
            part.Finish();
        }

        PolicyScenario scenario = new()
        {
            Name = name ?? Path.GetFileNameWithoutExtension(text.Name),
            Source = text.Name,
            Description = description ?? "",
            Machine = machine,
            HostBridges = bridges,
            Devices = devices,
            Links = links,
            Denied = denied,
            Interconnect = root.Take("interconnect")?.Enum<InterconnectRule>("interconnect") ?? InterconnectRule.LinkOrP2p,
            ProbeOrder = ReadProbeOrder(root.Take("probeOrder"), devices),
            PageCount = Pages(root, "memory") ?? 1 << 18,
            MemoryLine = (root.Take("memory") ?? root.Take("process"))?.Line ?? 0,
            Process = ReadProcess(root, folder),
            SystemFrameCount = Pages(root, "systemMemory"),
            SystemMemoryLine = root.Take("systemMemory")?.Line ?? 0,
            Placement = ReadPlacement(root.Require("placement"), devices),
            PlacementLine = root.Require("placement").Line,
            ChunkPageCount = CallPages(root, "faultSize") ?? 512,
            CallPageCount = CallPages(root, "callSize") ?? int.MaxValue,
            RetryLimit = root.Int("retryLimit", int.MaxValue) ?? new ImporterOptions().RetryLimit,
            Habits = ReadHabits(root.Take("habit")),
            TypedOutputInner = ReadInner(root.Take("typedOutputOf")),
            Paths = ReadPaths(root.Take("paths"), devices),
            Rounds = Positive(root, "rounds", 1000) ?? 1,
            Uses = root.Real("uses") ?? 1,
            Costs = costs,
            Steps = ReadSteps(root.Require("steps"), devices, linkNames),
        };
        root.Finish();
        CheckPlugs(text, scenario);
        CheckPagemaps(text, scenario);
        return scenario;
    }

    private static MachineDescription ReadMachine(SourceText text, JsonPart part, string? folder)
    {
        if (part.IsObject)
        {
            return MachineJsonReader.Read(text, part);
        }

        string name = part.Text();
        if (Resource(name + MachineSuffix) is { } embedded)
        {
            return MachineReader.Parse(embedded, $"the embedded machine {name}");
        }

        string path = Path.Combine(folder ?? ".", name);
        return File.Exists(path) || Directory.Exists(path) || path.Contains('#', StringComparison.Ordinal)
            ? MachineReader.Open(path)
            : throw part.Error($"neither an embedded machine (the nearest is '{NearestName.Find(name, EmbeddedMachines)}') nor a file: there is no {path}. {HowToGetAMachine}");
    }

    private static HostBridgeList ReadBridges(JsonPart? part)
    {
        try
        {
            return part is null ? HostBridgeList.Linux612 : HostBridgeList.Parse(part.Text());
        }
        catch (FormatException fault)
        {
            throw part!.Error(fault.Message);
        }
    }

    private static CostModel ReadCosts(SourceText text, JsonPart? part)
    {
        if (part is null)
        {
            return CostModel.Default;
        }

        Dictionary<string, double> values = [];
        part.Expect([.. CostModel.Default.Figures.Select(figure => figure.Name)]);
        foreach (CostFigure figure in CostModel.Default.Figures)
        {
            if (part.Real(figure.Name) is not { } value)
            {
                continue;
            }

            if (value == 0 && figure.Unit == "B/s")
            {
                throw part.Require(figure.Name).Error("a bandwidth above 0 expected");
            }

            values.Add(figure.Name, value);
        }

        part.Finish();
        return CostModel.Default.With(values, text.Name);
    }

    private static void ReadLink(JsonPart part, List<ScenarioDevice> devices, List<FabricLink> links, List<string> names, CostModel costs)
    {
        part.Expect("from", "to", "bytesPerSecond", "latencyNs", "name", "up");
        int from = Device(part.Require("from"), devices);
        int to = Device(part.Require("to"), devices);
        if (from == to)
        {
            throw part.Require("to").Error("a link joins two devices");
        }

        PathEstimate path = new(part.Real("bytesPerSecond") ?? costs["linkBytesPerSecond"], part.Real("latencyNs") ?? costs["linkLatencyNs"]);
        if (!path.Exists)
        {
            throw part.Require("bytesPerSecond").Error("a bandwidth above 0 expected");
        }

        string name = part.Text("name") ?? $"{devices[from].Name}-{devices[to].Name}";
        if (names.Contains(name))
        {
            throw part.Error($"a second link is named \"{name}\"");
        }

        names.Add(name);
        links.Add(new FabricLink(from, to, path, part.Bool("up") ?? true));
        part.Finish();
    }

    private static Dictionary<(int Provider, int Client), PathEstimate> ReadPaths(JsonPart? list, List<ScenarioDevice> devices)
    {
        Dictionary<(int Provider, int Client), PathEstimate> paths = [];
        foreach (JsonPart part in list?.Items() ?? [])
        {
            part.Expect("provider", "client", "bytesPerSecond", "latencyNs");
            (int Provider, int Client) pair = (Device(part.Require("provider"), devices), Device(part.Require("client"), devices));
            _ = part.Require("bytesPerSecond");
            _ = part.Require("latencyNs");
            PathEstimate path = new(part.Real("bytesPerSecond")!.Value, part.Real("latencyNs")!.Value);
            if (!path.Exists)
            {
                throw part.Require("bytesPerSecond").Error("a bandwidth above 0 expected; which pairs reach each other is the machine's to say");
            }

            if (!paths.TryAdd(pair, path))
            {
                throw part.Require("client").Error($"a second path from \"{devices[pair.Provider].Name}\" to this client");
            }

            part.Finish();
        }

        return paths;
    }

    private static FaultHabit[] ReadHabits(JsonPart? part) => part?.Text() switch
    {
        null or "runForward" => [FaultHabit.RunForward],
        "onlyAsked" => [FaultHabit.OnlyAsked],
        "both" => [FaultHabit.RunForward, FaultHabit.OnlyAsked],
        _ => throw part.Unknown("habit", ["runForward", "onlyAsked", "both"]),
    };

    private static IHmmPolicy? ReadInner(JsonPart? part)
    {
        if (part is null)
        {
            return null;
        }

        IReadOnlyList<IHmmPolicy> found = PolicyCatalog.Find(part.Text());
        return found.Count == 1 && !found[0].TypedOutput
            ? found[0]
            : throw part.Unknown("policy to put bits on (one, and not typed-output itself)", [.. PolicyCatalog.All.Where(policy => !policy.TypedOutput).Select(policy => policy.Name)]);
    }

    private static Capture? ReadProcess(JsonPart root, string? folder)
    {
        if (root.Take("process") is not { } part)
        {
            return null;
        }

        if (root.Take("memory") is not null)
        {
            throw part.Error("a scenario has 'memory' of a size or a 'process', not both");
        }

        string name = part.Text();
        if (name == "default")
        {
            return ProcessImage.Default();
        }

        string path = Path.Combine(folder ?? ".", name);
        try
        {
            return !File.Exists(path) ? throw part.Error($"neither \"default\", the embedded process, nor a file: there is no {path}")
                : path.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? ProcessImage.Parse(File.ReadAllText(path), path) : CaptureFile.Read(path);
        }
        catch (CaptureException fault)
        {
            throw part.Error(fault.Message);
        }
    }

    private static int[] ReadProbeOrder(JsonPart? part, List<ScenarioDevice> devices)
    {
        if (part is null)
        {
            return [];
        }

        int[] order = [.. part.Items().Select(item => Device(item, devices))];
        return order.Distinct().Count() == devices.Count && order.Length == devices.Count
            ? order
            : throw part.Error($"each of the {devices.Count} devices expected once");
    }

    private static List<PlacementRun> ReadPlacement(JsonPart part, List<ScenarioDevice> devices)
    {
        List<PlacementRun> runs = [];
        foreach (JsonPart item in part.Items())
        {
            item.Expect("on", "run");
            JsonPart on = item.Require("on");
            int device = on.Text() switch
            {
                "system" => PlacementRun.System,
                "untouched" => PlacementRun.Untouched,
                _ => Device(on, devices, "system", "untouched"),
            };
            if (device >= 0 && !devices[device].HasMemory)
            {
                throw on.Error("this device has no memory");
            }

            runs.Add(new PlacementRun(device, Size(item.Require("run")) / PageOrder.PageSizeBytes));
            int used = runs.Where(run => run.Device >= 0 && devices[run.Device].Kind == DeviceMemoryKind.Private).DistinctBy(run => run.Device).Count();
            if (used > MemorySystem.MostPrivateDevices)
            {
                throw on.Error($"private device {used} of this placement; page classes leave room for {MemorySystem.MostPrivateDevices}");
            }

            item.Finish();
        }

        return runs.Count != 0 ? runs : throw part.Error("at least one run expected");
    }

    private static int Device(JsonPart part, List<ScenarioDevice> devices, params string[] others)
    {
        string name = part.Text();
        int index = devices.FindIndex(device => device.Name == name);
        return index >= 0 ? index : throw part.Unknown("device", [.. devices.Select(device => device.Name), .. others]);
    }

    private static int Link(JsonPart part, List<string> links)
    {
        int index = links.IndexOf(part.Text());
        return index >= 0 ? index : throw part.Unknown("link", links);
    }

    private static int? Positive(JsonPart part, string name, int max) => part.Int(name, max) switch
    {
        0 => throw part.Require(name).Error($"a whole number from 1 to {max} expected"),
        int value => value,
        null => null,
    };

    private static int? CallPages(JsonPart part, string name) =>
        Pages(part, name) is not { } pages ? null : pages <= int.MaxValue ? (int)pages : throw part.Require(name).Error($"{pages} pages; at most {int.MaxValue} are possible");

    private static ulong? Pages(JsonPart part, string name)
    {
        if (part.Take(name) is not { } size)
        {
            return null;
        }

        ulong pages = Size(size) / PageOrder.PageSizeBytes;
        return pages <= MaxPages ? pages : throw size.Error($"{pages} pages; at most {MaxPages} are possible");
    }

    private static ulong Size(JsonPart part) =>
        part.IsText && ByteSize.TryParse(part.Value!, out ulong bytes) && bytes != 0 && bytes % PageOrder.PageSizeBytes == 0 && bytes <= MaxPages * PageOrder.PageSizeBytes
            ? bytes
            : throw part.Error($"a size of whole {PageOrder.PageSizeBytes}-byte pages up to {ByteSize.Format(MaxPages * PageOrder.PageSizeBytes)}, such as \"2MiB\", expected");
}
