using System.Globalization;
using System.Text;

namespace HmmFast.Simulation.Traces;

/// <summary>Writes out a differing step: the state before it, the step, what was recorded and what the model answered.</summary>
internal static class TraceExplainer
{
    internal static string Explain(TraceHeader header, TraceStep? before, TraceStep step, TraceAnswer? answer, TraceObserver observer, TraceComparer comparer)
    {
        StringBuilder text = new();
        Line(text, $"  sequence: {header.PageCount} pages, region at page {header.PmdOffset} of its 2 MiB block, files of {header.FilePageCount} pages, "
            + $"{header.DeviceKind.ToString().ToLowerInvariant()} devices{(header.Script is null ? "" : $", script \"{header.Script}\"")}");
        Line(text, "  before:");
        AppendState(text, before);
        Line(text, $"  step {step.Step}: {step}");
        Line(text, $"  recorded: errno {step.ErrorName} cpages {step.CopiedPageCount} faults {step.FaultCount} busy {step.BusyCount}");
        foreach (TraceResultRun run in step.Results)
        {
            Line(text, $"    out {run.Page}+{run.Count} {(run.Untouched ? "untouched" : $"\"{run.Flags}\" order {run.Order} frame {run.Frame}")}");
        }

        AppendState(text, step);
        if (answer is null)
        {
            return text.ToString();
        }

        Line(text, $"  model: errno {answer.ErrorName} cpages {answer.CopiedPageCount} faults {answer.FaultCount} busy {answer.BusyCount}");
        observer.Look();
        string[] words = new string[answer.Words.Length];
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = comparer.DescribeWord(answer.Requests[i], answer.Words[i], step.Page + i);
        }

        AppendRuns(text, words, step.Page, "out ");
        foreach (TraceVma vma in observer.Vmas)
        {
            Line(text, $"    vma {vma}");
        }

        AppendRuns(text, Array.ConvertAll(observer.Pages, static page => Describe(page)), 0, "");
        if (observer.Child is { } child)
        {
            AppendRuns(text, Array.ConvertAll(child, static page => $"{page.Entry} {page.Flags.ToLetters()} {page.Frame}"), 0, "child ");
        }

        return text.ToString();
    }

    private static void AppendState(StringBuilder text, TraceStep? step)
    {
        if (step is null)
        {
            Line(text, "    nothing mapped");
            return;
        }

        foreach (TraceVma vma in step.Vmas)
        {
            Line(text, $"    vma {vma}");
        }

        foreach (TracePageRun run in step.Pages)
        {
            Line(text, $"    {run.Page}+{run.Count} {Describe(run.State)}");
        }

        foreach (TraceChildRun run in step.Child ?? [])
        {
            Line(text, $"    child {run.Page}+{run.Count} {run.Entry} {run.Flags.ToLetters()} {run.Frame}");
        }
    }

    private static void AppendRuns(StringBuilder text, string[] pages, int firstPage, string prefix)
    {
        for (int start = 0; start < pages.Length;)
        {
            int end = start + 1;
            while (end < pages.Length && pages[end] == pages[start])
            {
                end++;
            }

            Line(text, $"    {prefix}{firstPage + start}+{end - start} {pages[start]}");
            start = end;
        }
    }

    private static string Describe(TracePage page) =>
        $"snap {page.Snapshot0:x2}/{page.Snapshot1:x2} {page.Entry} {page.Flags.ToLetters()} mapcount {page.MapCount} same {page.SameDistance}";

    private static void Line(StringBuilder text, string line) => text.Append(CultureInfo.InvariantCulture, $"{line}\n");
}
