using HmmFast.Simulation.Machines.Readers;

namespace HmmFast.Simulation.Comparison;

/// <content>A scenario's steps, and whether they make sense one after the other.</content>
public static partial class ScenarioReader
{
    private static List<ScenarioStep> ReadSteps(JsonPart part, List<ScenarioDevice> devices, List<string> links)
    {
        List<ScenarioStep> steps = [];
        foreach (JsonPart item in part.Items())
        {
            ScenarioStepKind kind = item.Require("do").Enum<ScenarioStepKind>("step");
            item.Expect(["do", .. MembersOf(kind)]);
            ScenarioStep step = new() { Kind = kind, Line = item.Line };
            step = kind switch
            {
                ScenarioStepKind.Fault => ReadFault(step, item, devices),
                ScenarioStepKind.LinkDown or ScenarioStepKind.LinkUp => step with { Link = Link(item.Require("link"), links) },
                ScenarioStepKind.Unplug or ScenarioStepKind.Plug or ScenarioStepKind.Evict => step with { Devices = [Device(item.Require("device"), devices)] },
                ScenarioStepKind.Deny or ScenarioStepKind.Permit => step with
                {
                    Devices = [Device(item.Require("provider"), devices)],
                    Client = Device(item.Require("client"), devices),
                },
                ScenarioStepKind.UnmapChunk or ScenarioStepKind.MapChunk => step with
                {
                    Devices = [Device(item.Require("device"), devices)],
                    Chunk = item.Int("chunk", int.MaxValue) ?? throw item.Error("the member 'chunk' is missing"),
                },
                ScenarioStepKind.MapProvider => step with
                {
                    Devices = [Device(item.Require("provider"), devices)],
                    Client = Device(item.Require("by"), devices),
                    PageCount = (ulong)(CallPages(item, "size") ?? throw item.Error("the member 'size' is missing")),
                },
                _ => step,
            };
            item.Finish();
            steps.Add(step);
        }

        return steps.Exists(step => step.Kind == ScenarioStepKind.Fault)
            ? steps
            : throw part.Error("at least one step that faults expected; policies differ in what faults are given");
    }

    private static string[] MembersOf(ScenarioStepKind kind) => kind switch
    {
        ScenarioStepKind.Fault => ["by", "writes", "forcesSystem", "from", "to"],
        ScenarioStepKind.LinkDown or ScenarioStepKind.LinkUp => ["link"],
        ScenarioStepKind.Unplug or ScenarioStepKind.Plug or ScenarioStepKind.Evict => ["device"],
        ScenarioStepKind.Deny or ScenarioStepKind.Permit => ["provider", "client"],
        ScenarioStepKind.UnmapChunk or ScenarioStepKind.MapChunk => ["device", "chunk"],
        ScenarioStepKind.MapProvider => ["by", "provider", "size"],
        _ => [],
    };

    private static ScenarioStep ReadFault(ScenarioStep step, JsonPart item, List<ScenarioDevice> devices)
    {
        JsonPart by = item.Require("by");
        step = step with
        {
            Devices = by.IsText ? [Device(by, devices)] : [.. by.Items().Select(name => Device(name, devices))],
            Writes = item.Bool("writes") ?? false,
            ForcesSystem = item.Bool("forcesSystem") ?? false,
            From = item.Real("from") ?? 0,
            To = item.Real("to") ?? 1,
        };
        if (step.Devices.Count == 0)
        {
            throw by.Error("at least one device expected");
        }

        return step.From < step.To && step.To <= 1
            ? step
            : throw item.Error($"a part from {step.From} to {step.To} of memory; 0 <= from < to <= 1 expected");
    }

    // A device that is not plugged in asks for nothing; a scenario that lets it fault means something else. Whatever a round leaves, the second one starts with.
    private static void CheckPlugs(SourceText text, PolicyScenario scenario)
    {
        bool[] isPlugged = [.. scenario.Devices.Select(device => device.IsPluggedAtStart)];
        int[] lines = [.. scenario.Devices.Select(device => device.Line)];
        for (int round = 0; round < Math.Min(scenario.Rounds, 2); round++)
        {
            foreach (ScenarioStep step in scenario.Steps)
            {
                foreach (int device in step.Devices)
                {
                    string name = scenario.Devices[device].Name;
                    string when = round == 0 ? "" : " in the second round";
                    if (step.Kind == ScenarioStepKind.Plug && isPlugged[device])
                    {
                        throw text.Error(step.Line, name, $"this device is plugged in already here{when} (line {lines[device]}); unplug it first, or say \"plugged\": false");
                    }
                    else if (step.Kind is ScenarioStepKind.Plug or ScenarioStepKind.Unplug)
                    {
                        isPlugged[device] = step.Kind == ScenarioStepKind.Plug;
                        lines[device] = step.Line;
                    }
                    else if (step.Kind == ScenarioStepKind.Fault && !isPlugged[device])
                    {
                        throw text.Error(step.Line, name, $"this device is not plugged in here{when} (line {lines[device]}), so it cannot fault; plug it in first");
                    }
                    else if (step.Kind is ScenarioStepKind.Evict or ScenarioStepKind.UnmapChunk or ScenarioStepKind.MapChunk or ScenarioStepKind.MapProvider && !scenario.Devices[device].HasMemory)
                    {
                        throw text.Error(step.Line, name, "this device has no memory");
                    }
                }
            }
        }
    }

    // A device that is plugged in again has a new pagemap, which takes page classes of its own once a restore places pages there.
    private static void CheckPagemaps(SourceText text, PolicyScenario scenario)
    {
        if (!scenario.Steps.Any(step => step.Kind == ScenarioStepKind.Restore))
        {
            return;
        }

        HashSet<int> placed = [.. scenario.Placement.Select(run => run.Device).Where(device => device >= 0 && scenario.Devices[device].Kind == DeviceMemoryKind.Private)];
        bool[] isPlugged = [.. scenario.Devices.Select(device => device.IsPluggedAtStart)];
        int pagemaps = placed.Count(device => isPlugged[device]);
        for (int round = 0; round < scenario.Rounds; round++)
        {
            foreach (ScenarioStep step in scenario.Steps.Where(step => step.Kind is ScenarioStepKind.Plug or ScenarioStepKind.Unplug && placed.Contains(step.Devices[0])))
            {
                bool plugs = step.Kind == ScenarioStepKind.Plug;
                pagemaps += plugs && !isPlugged[step.Devices[0]] ? 1 : 0;
                isPlugged[step.Devices[0]] = plugs;
                if (pagemaps > MemorySystem.MostPrivateDevices)
                {
                    throw text.Error(
                        step.Line, scenario.Devices[step.Devices[0]].Name,
                        $"in round {round + 1} this makes private pagemap {pagemaps}; page classes leave room for {MemorySystem.MostPrivateDevices}");
                }
            }
        }
    }
}
