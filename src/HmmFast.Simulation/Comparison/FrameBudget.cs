using HmmFast.Drivers.Fabric;
using HmmFast.Simulation.Scenarios;

namespace HmmFast.Simulation.Comparison;

/// <summary>Frame numbers have 32 bits: how much memory a scenario can have under that, counting the devices' memory and windows.</summary>
public static class FrameBudget
{
    private const ulong MaxPages = 1UL << 31;

    // Zero pages and the borders between pagemaps.
    private const ulong SpareFrames = 2048;
    private const ulong SpareFramesOfADevice = 1024;

    /// <summary>Frames that a scenario takes with some memory.</summary>
    /// <param name="scenario">The scenario.</param>
    /// <param name="memory">Its memory.</param>
    /// <exception cref="ScenarioException">A device has less memory than is placed on it.</exception>
    public static ulong CountFrames(PolicyScenario scenario, ScenarioMemory memory)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        ArgumentNullException.ThrowIfNull(memory);
        return CountFrames(scenario, scenario.MakePlan(PlacementWalk.CountPages(scenario, memory)), memory.Options(scenario.SystemFrameCount));
    }

    /// <summary>The largest memory, in whole GiB, that a scenario's frames have numbers for. Cost: a walk over the placement for each of a dozen sizes.</summary>
    /// <param name="scenario">The scenario; its own memory does not count.</param>
    /// <returns>Pages; 0 when not even 1 GiB has room.</returns>
    public static ulong LargestPageCount(PolicyScenario scenario)
    {
        ulong fits = 0;
        ulong tooMany = (MaxPages / PageOrder.PagesPerGibibyte) + 1;
        while (tooMany - fits > 1)
        {
            ulong middle = (fits + tooMany) / 2;
            bool isFine = CountFrames(scenario, ScenarioMemory.OfSize(middle * PageOrder.PagesPerGibibyte)) <= uint.MaxValue;
            (fits, tooMany) = isFine ? (middle, tooMany) : (fits, middle);
        }

        return fits * PageOrder.PagesPerGibibyte;
    }

    internal static void Check(PolicyScenario scenario, ScenarioMemory memory, FabricPlan plan, MemorySystemOptions options)
    {
        ulong frames = CountFrames(scenario, plan, options);
        if (frames > uint.MaxValue)
        {
            throw new ScenarioException(
                $"{scenario.At(scenario.MemoryLine)}: {ByteSize.Format(memory.PageCount * PageOrder.PageSizeBytes)} of memory take {frames} frames with device memory and windows, those of devices that are plugged in anew included; there are at most {uint.MaxValue}.");
        }
    }

    private static ulong CountFrames(PolicyScenario scenario, FabricPlan plan, MemorySystemOptions options)
    {
        ulong frames = options.SystemFrameCount + SpareFrames;
        for (int member = 0; member < plan.Members.Count; member++)
        {
            // Frame numbers are never used again: each time a device is plugged in takes new ones.
            ulong plugs = (ulong)scenario.Rounds * (ulong)scenario.Steps.Count(step => step.Kind == ScenarioStepKind.Plug && step.Devices[0] == member);
            plugs += plan.Members[member].IsPluggedAtStart ? 1UL : 0;
            frames += plugs * (plan.Members[member].MemoryPageCount + plan.Members[member].WindowPageCount + SpareFramesOfADevice);
        }

        return frames;
    }
}
