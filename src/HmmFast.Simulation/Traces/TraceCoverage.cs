using System.Globalization;
using System.Text;

namespace HmmFast.Simulation.Traces;

/// <summary>Counts how often recordings exercised an operation on a page state, and names what they never did.</summary>
public sealed class TraceCoverage
{
    private static readonly string[] DeviceColumns =
        ["dev_read", "dev_write", "snapshot", "migrate_to_dev", "migrate_to_sys", "exclusive", "check_exclusive", "range_fault", "range_fault F", "range_fault FW"];

    private static readonly string[] CpuColumns =
    [
        "cpu_read", "cpu_write", "mmap", "munmap", "mprotect none", "mprotect r", "mprotect rw", "mremap", "mremap over", "fork", "clear_soft_dirty",
        "DONTNEED", "FREE", "PAGEOUT", "HUGEPAGE", "NOHUGEPAGE", "COLLAPSE",
    ];

    private static readonly string[] ChildColumns = ["child_read", "child_write", "child_exit"];

    private readonly SortedDictionary<(string State, string Operation), long> _device = [];
    private readonly SortedDictionary<(string State, string Operation), long> _cpu = [];
    private readonly SortedDictionary<(string State, string Operation), long> _child = [];
    private int _sequenceCount;
    private int _stepCount;

    /// <summary>Counts a recording.</summary>
    public void Add(TraceFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        foreach (TraceSequence sequence in file.Sequences)
        {
            _sequenceCount++;
            TraceStep? before = null;
            foreach (TraceStep step in sequence.Steps)
            {
                _stepCount++;
                Add(sequence.Header, before, step);
                before = step;
            }
        }
    }

    /// <summary>The tables, as a page of Markdown.</summary>
    public string ToMarkdown()
    {
        StringBuilder text = new();
        Line(text, "# What the kernel's recordings exercise");
        Line(text, "");
        Line(text, $"Pages an operation was applied to, by the page's state before it: {_sequenceCount} sequences, {_stepCount} steps.");
        Line(text, "States are named as the recording shows them: mapping and protection, then the entry. Generated from the recordings in");
        Line(text, "tests/HmmFast.Conformance.Tests/Recordings; a test fails when this page and they drift apart.");
        Line(text, "Deliberately broken arguments are left out. `.` marks a cell that was never exercised; the lists below the tables name them.");
        AppendTable(text, "Device operations (own and other: whose memory it is, seen from the device that asks)", _device, DeviceColumns);
        AppendTable(text, "CPU and address-space operations", _cpu, CpuColumns);
        AppendTable(text, "Operations of the child (by the child's own entry; = the parent's frame, ! another, . not comparable)", _child, ChildColumns);
        return text.ToString();
    }

    private static void AppendTable(StringBuilder text, string title, SortedDictionary<(string State, string Operation), long> cells, string[] columns)
    {
        Line(text, "");
        Line(text, $"## {title}");
        Line(text, "");
        Line(text, $"| state | {string.Join(" | ", columns)} |");
        Line(text, $"|---|{string.Concat(Enumerable.Repeat("---:|", columns.Length))}");
        string[] states = [.. cells.Keys.Select(static key => key.State).Distinct().Order(StringComparer.Ordinal)];
        List<string> never = [];
        foreach (string state in states)
        {
            string[] counts = [.. columns.Select(column => cells.TryGetValue((state, column), out long count) ? count.ToString(CultureInfo.InvariantCulture) : ".")];
            Line(text, $"| {state} | {string.Join(" | ", counts)} |");
            string[] missing = [.. columns.Where(column => !cells.ContainsKey((state, column)))];
            if (missing.Length > 0)
            {
                never.Add($"- {state}: {string.Join(", ", missing)}");
            }
        }

        Line(text, "");
        Line(text, $"Never exercised ({states.Length * columns.Length - cells.Count} of {states.Length * columns.Length} cells):");
        Line(text, "");
        foreach (string line in never)
        {
            Line(text, line);
        }
    }

    private void Add(TraceHeader header, TraceStep? before, TraceStep step)
    {
        if (step.Bad != TraceBadArgument.None)
        {
            return;
        }

        switch (step.Operation)
        {
            case TraceOperation.Fork or TraceOperation.ClearSoftDirty:
                AddPages(_cpu, before, 0, header.PageCount, -1, TraceOperations.NameOf(step.Operation));
                break;
            case TraceOperation.ChildRead or TraceOperation.ChildWrite:
                AddChildPages(before, step.Page, step.Count, TraceOperations.NameOf(step.Operation));
                break;
            case TraceOperation.ChildExit:
                AddChildPages(before, 0, header.PageCount, "child_exit");
                break;
            case TraceOperation.Remap:
                AddPages(_cpu, before, step.Page, step.Count, -1, "mremap");
                AddPages(_cpu, before, step.To, step.Count, -1, "mremap over");
                break;
            case TraceOperation.RangeFault:
                AddRequests(before, step);
                break;
            default:
                bool isDevice = TraceOperations.IsDeviceOperation(step.Operation);
                AddPages(isDevice ? _device : _cpu, before, step.Page, step.Count, isDevice ? step.Device : -1, ColumnOf(step));
                break;
        }
    }

    private static string ColumnOf(TraceStep step) => step.Operation switch
    {
        TraceOperation.Advise => step.Advice.ToString().ToUpperInvariant(),
        TraceOperation.Protect => step.Protection switch
        {
            Protection.None => "mprotect none",
            Protection.Read => "mprotect r",
            _ => "mprotect rw",
        },
        _ => TraceOperations.NameOf(step.Operation),
    };

    private void AddRequests(TraceStep? before, TraceStep step)
    {
        foreach (TraceRequestRun run in step.Requests)
        {
            HmmRequestFlags asked = (run.Request & step.Mask) | step.DefaultFlags;
            string column = (asked & HmmRequestFlags.Fault) == 0 ? "range_fault"
                : (asked & HmmRequestFlags.Write) == 0 ? "range_fault F"
                : "range_fault FW";
            AddPages(_device, before, run.Page, run.Count, step.RequestOwner == "own" ? step.Device : 1 - step.Device, column, step.RequestOwner == "null");
        }
    }

    private static void AddPages(
        SortedDictionary<(string State, string Operation), long> cells,
        TraceStep? before,
        int page,
        int count,
        int device,
        string column,
        bool ownsNothing = false)
    {
        for (int at = page; at < page + count; at++)
        {
            string state = PageStateNames.Of(before, at, device);

            // The NULL owner reaches nobody's private pages: for it, each is another's.
            state = ownsNothing ? state.Replace("private own", "private other", StringComparison.Ordinal) : state;
            Count(cells, state, column);
        }
    }

    private void AddChildPages(TraceStep? before, int page, int count, string column)
    {
        foreach (TraceChildRun run in before?.Child ?? [])
        {
            int from = Math.Max(page, run.Page);
            int to = Math.Min(page + count, run.Page + run.Count);
            for (int at = from; at < to; at++)
            {
                Count(_child, $"{run.Entry} {run.Frame}", column);
            }
        }
    }

    private static void Count(SortedDictionary<(string State, string Operation), long> cells, string state, string column)
    {
        cells.TryGetValue((state, column), out long count);
        cells[(state, column)] = count + 1;
    }

    private static void Line(StringBuilder text, string line) => text.Append(line).Append('\n');
}
