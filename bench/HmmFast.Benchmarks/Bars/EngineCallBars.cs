using HmmFast.Kernels;
using HmmFast.Policies;

namespace HmmFast.Benchmarks.Bars;

/// <summary>What a call does as often as there are runs and not as often as there are pages: kernel calls and questions to the policy. Counts, so exact.</summary>
public static class EngineCallBars
{
    /// <summary>Measures.</summary>
    /// <param name="session">Sizes.</param>
    /// <param name="baselines">Not used.</param>
    public static void Measure(BarSession session, string? baselines)
    {
        ulong pageCount = session.Largest(1 << 14, 1 << 18);
        var kernels = new CountingKernels(KernelSet.Best);
        using (var mixed = new EngineWorld(pageCount, kernels))
        {
            mixed.Mix();
            AddKernelCalls("resolve, page tables without a border", mixed.Snapshot);
            AddKernelCalls("classify, page tables without a border", () => mixed.Columns.Classify(mixed.Request(mixed.All), default));
            AddQuestions(mixed);
            AddQuestionsOfHalfAWindow(mixed);
        }

        using (var shapes = new EngineWorld(pageCount, kernels))
        {
            // Four stretches: 2 MiB entries, page tables, a hole, page tables.
            ulong quarter = pageCount / 4;
            EngineWorld.Must(shapes.Space.Advise(EngineWorld.Pages(0, quarter), Advice.HugePage), "advice");
            shapes.Write(EngineWorld.Pages(0, quarter * 2));
            shapes.Write(EngineWorld.Pages(quarter * 3, quarter));
            AddKernelCalls("resolve, 2 MiB entries", () => shapes.Fault(EngineWorld.Pages(0, quarter), HmmRequestFlags.None));
            AddKernelCalls("resolve, a hole", () => shapes.Fault(EngineWorld.Pages(quarter * 2, quarter), HmmRequestFlags.None));
            AddKernelCalls("resolve, 2 MiB entries, tables, a hole, tables", shapes.Snapshot, runs: 4);
        }

        void AddKernelCalls(string work, Action run, ulong runs = 1)
        {
            run();
            ulong before = kernels.Calls;
            run();
            session.Add(new BarResult(work, pageCount, "kernel calls a run of blocks of one kind", (kernels.Calls - before) / (double)runs, 1, MustStayBelow: true, IsExact: true));
        }

        void AddQuestions(EngineWorld world)
        {
            // Six forms of request by the classes of two devices' private pages; never by page, and not again for the next call.
            const int MostQuestions = 6 * 2 * 6;
            var policy = new CountingPolicy();
            HmmRange request = world.Request(world.All) with { Policy = policy };
            EngineWorld.Must(world.Space.RangeFault(request, world.Words), "snapshot");
            session.Add(new BarResult("resolve, first call under a policy", pageCount, "questions to the policy", policy.Questions, MostQuestions, MustStayBelow: true, IsExact: true));
            ulong before = policy.Questions;
            EngineWorld.Must(world.Space.RangeFault(request, world.Words), "snapshot");
            session.Add(new BarResult("resolve, next call under a policy", pageCount, "questions to the policy", policy.Questions - before, 0, MustStayBelow: true, IsExact: true));
        }

        void AddQuestionsOfHalfAWindow(EngineWorld world)
        {
            // As above, and twice for the kinds of private page of the device whose window shows every other chunk: offered or not.
            const int MostQuestions = 6 * 3 * 6;
            const ulong Chunk = 512;
            (Pfn first, ulong count) = world.Memory.DeviceFrames(world.Gpu1);
            DeviceId bar = world.Memory.AddDevice(new DeviceOptions { Name = "bar", PageCount = count, Owner = OwnerId.Null, Kind = DeviceMemoryKind.PciP2pdma });
            AliasWindow window = AliasWindow.Create(first, count, world.Memory.DeviceFrames(bar).First, count / Chunk * Chunk, Chunk);
            for (int chunk = 0; chunk < window.ChunkCount; chunk += 2)
            {
                window = window.WithoutChunk(chunk);
            }

            var policy = new CountingPolicy(new AliasAlwaysPolicy());
            var client = new HmmClient("nic") { Reach = new ClientReach([default, new ProviderReach { Window = window }]) };
            HmmRange request = world.Request(world.All) with { Policy = policy, Client = client };
            EngineWorld.Must(world.Space.RangeFault(request, world.Words), "snapshot");
            session.Add(new BarResult("resolve, first call under a policy, half of a window", pageCount, "questions to the policy", policy.Questions, MostQuestions, MustStayBelow: true, IsExact: true));
            ulong before = policy.Questions;
            EngineWorld.Must(world.Space.RangeFault(request, world.Words), "snapshot");
            session.Add(new BarResult("resolve, next call under a policy, half of a window", pageCount, "questions to the policy", policy.Questions - before, 0, MustStayBelow: true, IsExact: true));
        }
    }
}
