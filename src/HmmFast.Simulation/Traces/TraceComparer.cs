using System.Globalization;
using HmmFast.Drivers.Mirror;

namespace HmmFast.Simulation.Traces;

/// <summary>Compares a step's answer and the state after it with the recording; stops at the first difference.</summary>
internal sealed class TraceComparer
{
    private readonly TraceWorld _world;
    private readonly TraceObserver _observer;
    private readonly ConformanceLevel _level;
    private readonly bool[] _wasFreed;

    internal TraceComparer(TraceWorld world, TraceObserver observer, ConformanceLevel level)
    {
        _world = world;
        _observer = observer;
        _level = level;
        _wasFreed = new bool[world.PageCount];
    }

    /// <summary>A difference without the context that its step gives it.</summary>
    internal readonly record struct Finding(int? Page, string Field, string Expected, string Got);

    /// <summary>The first difference, or null.</summary>
    internal Finding? Compare(TraceStep step, TraceAnswer answer)
    {
        NoteFreed(step);
        Finding? finding = CompareCall(step, answer) ?? CompareData(step, answer) ?? CompareSnapshot(step, answer);
        if (finding is not null)
        {
            // Before the observation: a wrong answer is told even when the state cannot be looked at any more.
            return finding;
        }

        _observer.Look();
        finding = CompareWords(step, answer) ?? ComparePages(step, HmmField);
        if (finding is null && _level >= ConformanceLevel.State)
        {
            finding = ComparePages(step, StateField) ?? CompareVmas(step) ?? CompareChild(step, TracePageFlags.StateMask);
        }

        if (finding is null && _level == ConformanceLevel.All)
        {
            finding = ComparePages(step, AllField) ?? CompareChild(step, TracePageFlags.StateMask | TracePageFlags.SoftDirty);
        }

        return finding;
    }

    private static Finding? CompareCall(TraceStep step, TraceAnswer answer)
    {
        if (step.ErrorName != answer.ErrorName)
        {
            return new Finding(null, "errno", step.ErrorName, answer.ErrorName);
        }

        if (step.CopiedPageCount is { } copied && copied != answer.CopiedPageCount)
        {
            return new Finding(null, "cpages", Text(copied), Text(answer.CopiedPageCount));
        }

        if (step.FaultCount is { } faults && faults != answer.FaultCount)
        {
            return new Finding(null, "faults", Text(faults), Text(answer.FaultCount));
        }

        return step.BusyCount != answer.BusyCount ? new Finding(null, "busy", Text(step.BusyCount), Text(answer.BusyCount)) : null;
    }

    private static Finding? CompareData(TraceStep step, TraceAnswer answer)
    {
        bool isRead = step.Operation is not (TraceOperation.CpuWrite or TraceOperation.ChildWrite);
        foreach (TraceDataRun run in step.Data)
        {
            for (int i = 0; i < run.Count; i++)
            {
                int page = run.Page + i;
                int index = page - step.Page;
                if (answer.Accesses.Length > 0 && answer.Accesses[index] != run.Status)
                {
                    return new Finding(page, "access", run.Status.ToString(), answer.Accesses[index].ToString());
                }

                ulong tag = run.Tag + (ulong)i * run.Stride;
                if (isRead && run.Status == CpuAccessResult.Ok && answer.Tags[index] != tag)
                {
                    return new Finding(page, "content", Hex(tag), Hex(answer.Tags[index]));
                }
            }
        }

        return null;
    }

    private static Finding? CompareSnapshot(TraceStep step, TraceAnswer answer)
    {
        foreach (TraceByteRun run in step.Snapshot)
        {
            for (int page = run.Page; page < run.Page + run.Count; page++)
            {
                byte got = (byte)answer.Protections[page - step.Page];
                if (got != run.Value)
                {
                    return new Finding(page, "snap", Hex(run.Value), Hex(got));
                }
            }
        }

        return null;
    }

    private Finding? CompareWords(TraceStep step, TraceAnswer answer)
    {
        foreach (TraceResultRun run in step.Results)
        {
            for (int page = run.Page; page < run.Page + run.Count; page++)
            {
                string expected = Describe(run);
                int index = page - step.Page;
                string got = DescribeWord(answer.Requests[index], answer.Words[index], page);
                if (got != expected)
                {
                    return new Finding(page, "out", expected, got);
                }
            }
        }

        return null;
    }

    /// <summary>A result word as a recording would put it, as text.</summary>
    internal string DescribeWord(HmmPfn request, HmmPfn word, int page) => Describe(_observer.ResultOf(request, word, page));

    private static string Describe(in TraceResultRun result) =>
        result.Untouched ? "untouched" : $"\"{result.Flags}\" order {result.Order} frame {result.Frame}";

    private delegate Finding? FieldComparer(int page, in TracePage expected, in TracePage got);

    private Finding? ComparePages(TraceStep step, FieldComparer compare)
    {
        foreach (TracePageRun run in step.Pages)
        {
            TracePage expected = run.State;
            for (int page = run.Page; page < run.Page + run.Count; page++)
            {
                if (compare(page, expected, _observer.Pages[page]) is { } finding)
                {
                    return finding;
                }
            }
        }

        return null;
    }

    private static Finding? HmmField(int page, in TracePage expected, in TracePage got)
    {
        if (expected.Snapshot0 != got.Snapshot0)
        {
            return new Finding(page, "s0", Hex(expected.Snapshot0), Hex(got.Snapshot0));
        }

        return expected.Snapshot1 != got.Snapshot1 ? new Finding(page, "s1", Hex(expected.Snapshot1), Hex(got.Snapshot1)) : null;
    }

    private static Finding? StateField(int page, in TracePage expected, in TracePage got)
    {
        if (expected.Entry != got.Entry)
        {
            return new Finding(page, "entry", expected.Entry.ToString(), got.Entry.ToString());
        }

        TracePageFlags wanted = expected.Flags & TracePageFlags.StateMask;
        TracePageFlags given = got.Flags & TracePageFlags.StateMask;
        if (wanted != given)
        {
            return new Finding(page, "flags", wanted.ToLetters(), given.ToLetters());
        }

        if (expected.MapCount != got.MapCount)
        {
            return new Finding(page, "mapcount", Text(expected.MapCount), Text(got.MapCount));
        }

        return expected.SameDistance != got.SameDistance
            ? new Finding(page, "same", Text(expected.SameDistance), Text(got.SameDistance))
            : null;
    }

    private Finding? AllField(int page, in TracePage expected, in TracePage got)
    {
        TracePageFlags mask = TracePageFlags.SoftDirty | TracePageFlags.FrameMask;
        if (_wasFreed[page])
        {
            mask &= ~TracePageFlags.SwapBacked;
        }

        TracePageFlags wanted = expected.Flags & mask;
        TracePageFlags given = got.Flags & mask;
        return wanted != given ? new Finding(page, "letters", wanted.ToLetters(), given.ToLetters()) : null;
    }

    private Finding? CompareVmas(TraceStep step)
    {
        List<TraceVma> got = _observer.Vmas;
        for (int i = 0; i < Math.Max(step.Vmas.Count, got.Count); i++)
        {
            string expectedText = i < step.Vmas.Count ? step.Vmas[i].ToString() : "no further VMA";
            string gotText = i < got.Count ? got[i].ToString() : "no further VMA";
            if (expectedText != gotText)
            {
                return new Finding(i < step.Vmas.Count ? step.Vmas[i].Page : got[i].Page, "vma", expectedText, gotText);
            }
        }

        return null;
    }

    private Finding? CompareChild(TraceStep step, TracePageFlags mask)
    {
        if (step.Child is null || _observer.Child is not { } child)
        {
            return step.Child is null == _observer.Child is null
                ? null
                : new Finding(null, "child", step.Child is null ? "none" : "alive", step.Child is null ? "alive" : "none");
        }

        foreach (TraceChildRun run in step.Child)
        {
            for (int page = run.Page; page < run.Page + run.Count; page++)
            {
                TraceChildRun got = child[page];
                if (run.Entry != got.Entry || (run.Flags & mask) != (got.Flags & mask) || run.Frame != got.Frame)
                {
                    return new Finding(
                        page,
                        "child",
                        $"{run.Entry} {(run.Flags & mask).ToLetters()} {run.Frame}",
                        $"{got.Entry} {(got.Flags & mask).ToLetters()} {got.Frame}");
                }
            }
        }

        return null;
    }

    /// <summary>Keeps which pages were MADV_FREEd; a new mapping forgets it, a moved one takes it along.</summary>
    private void NoteFreed(TraceStep step)
    {
        switch (step.Operation)
        {
            case TraceOperation.Advise when step.Advice == Advice.Free:
                _wasFreed.AsSpan(step.Page, step.Count).Fill(true);
                break;
            case TraceOperation.Map or TraceOperation.Unmap when step.ReturnValue == 0:
                _wasFreed.AsSpan(step.Page, step.Count).Clear();
                break;
            case TraceOperation.Remap when step.ReturnValue == 0:
                _wasFreed.AsSpan(step.Page, step.Count).CopyTo(_wasFreed.AsSpan(step.To, step.Count));
                break;
        }
    }

    private static string Text(ulong value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Hex(ulong value) => "0x" + value.ToString("x", CultureInfo.InvariantCulture);
}
