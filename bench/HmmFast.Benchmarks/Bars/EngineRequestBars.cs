namespace HmmFast.Benchmarks.Bars;

/// <summary>Requests some of whose pages need work: what the interruptions cost the scan, and what the whole call costs beside the reference.</summary>
public static class EngineRequestBars
{
    /// <summary>Measures.</summary>
    /// <param name="session">Rounds and sizes.</param>
    /// <param name="baselines">Not used.</param>
    public static void Measure(BarSession session, string? baselines)
    {
        foreach (ulong pageCount in session.Sizes(1 << 12, 1 << 18, 1 << 24))
        {
            Stops(session, pageCount);
        }

        foreach (ulong pageCount in session.Sizes(1 << 12, 1 << 18, 1 << 20))
        {
            EndToEnd(session, pageCount, 2, "50 % of pages needing work, alternating");
            EndToEnd(session, pageCount, 100, "1 % of pages needing work");
        }
    }

    /// <summary>
    /// What a range fault spends beside the work where one page of a hundred, drawn from each hundred, is empty: the whole call, less what the engine takes for as many empty pages in
    /// one run. So everything that lies in their being scattered counts as the scan's: ending the loop, finding VMA and action, beginning anew.
    /// </summary>
    private static void Stops(BarSession session, ulong pageCount)
    {
        using var world = new EngineWorld(pageCount);
        world.Write(world.All);
        const ulong Hundred = 100;
        var random = new Random(3);
        ulong[] empty = [.. Enumerable.Range(0, (int)(pageCount / Hundred)).Select(i => ((ulong)i * Hundred) + (ulong)random.Next((int)Hundred))];
        VpnRange together = EngineWorld.Pages(0, (ulong)empty.Length);
        void Scatter()
        {
            foreach (ulong page in empty)
            {
                EngineWorld.Must(world.Space.Advise(EngineWorld.Pages(page, 1), Advice.DontNeed), "empty a page");
            }
        }

        IReadOnlyList<Timing> t = session.Measure(
            "1 % needs work",
            [
                new Contender("engine, nothing needs work", pageCount, () => world.Fault(world.All, HmmRequestFlags.Fault), static () => { }),
                new Contender("engine, 1 % empty, running forward", pageCount, () => world.Fault(world.All, HmmRequestFlags.Fault), Scatter),
                new Contender("engine, 1 % empty, only what is asked", pageCount, () => world.Fault(world.All, HmmRequestFlags.Fault, habit: FaultHabit.OnlyAsked), Scatter),
                new Contender("engine, as many empty pages in one run", together.PageCount, () => world.Fault(together, HmmRequestFlags.Fault),
                    () => EngineWorld.Must(world.Space.Advise(together, Advice.DontNeed), "empty a run")),
            ]);
        Add("running forward", t[1]);
        Add("only what is asked", t[2]);

        void Add(string habit, Timing whole)
        {
            double share = (double)together.PageCount / pageCount;
            Timing scan = Duel.Of($"1 % needs work: scan part, {habit}", pageCount, [.. whole.Samples.Zip(t[3].Samples, (all, work) => Math.Max(all - (work * share), all / 100))]);
            session.Add(scan);
            session.Ratio(
                $"resolve with 1 % of pages needing work, scan part, {habit}", pageCount, "of the clean scan", scan, t[0], 0.8,
                $"(the engine's whole call less a fault of as many pages in one run; the whole call {whole.SpeedOver(t[0]):0.00}; {(scan.Median - t[0].Median) / share:0} ns a page that needs work)");
        }
    }

    private static void EndToEnd(BarSession session, ulong pageCount, ulong everyNth, string what)
    {
        using var engine = new EngineWorld(pageCount);
        using var reference = new EngineWorld(pageCount, isReference: true);
        IReadOnlyList<Timing> t = session.Measure(
            "requests", [Make(engine, $"engine, fault of every {everyNth}. page", everyNth), Make(reference, $"reference, fault of every {everyNth}. page", everyNth)]);
        session.Ratio($"fault, {what}", pageCount, "x the reference, end to end", t[0], t[1], 10);
    }

    private static Contender Make(EngineWorld world, string name, ulong everyNth)
    {
        world.Write(world.All);
        return new Contender(
            name,
            world.PageCount,
            () => world.Fault(world.All, HmmRequestFlags.Fault),
            () =>
            {
                for (ulong i = 0; i < world.PageCount; i += everyNth)
                {
                    EngineWorld.Must(world.Space.Advise(EngineWorld.Pages(i, 1), Advice.DontNeed), "empty a page");
                }
            });
    }
}
