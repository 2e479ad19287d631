using System.Text.Json;

namespace HmmFast.Simulation.Traces;

/// <summary>Turns the lines of a recording into headers and steps, refusing everything the format does not say.</summary>
internal static class TraceStepParser
{
    // Device operations may run a little past the region (a hole); anything further is a broken number.
    private const int PastEndLimit = 64;
    private const int RegionLimit = 1 << 20;

    private static readonly string[] ErrorNames =
        ["0", "EPERM", "ENOENT", "EAGAIN", "ENOMEM", "EACCES", "EFAULT", "EBUSY", "EINVAL", "EOPNOTSUPP", "EREMOTEIO"];

    internal static TraceHeader ParseHeader(TraceLine line)
    {
        line.TakeInt("hdr", 1, 1);
        int format = line.TakeInt("fmt", int.MinValue, int.MaxValue);
        if (format != TraceHeader.KnownFormat)
        {
            throw line.Error($"format version {format}; this reader knows version {TraceHeader.KnownFormat}");
        }

        string kernel = line.TakeString("kernel");
        if (!kernel.StartsWith("6.12.", StringComparison.Ordinal))
        {
            throw line.Error($"recorded on kernel \"{kernel}\"; the model answers as 6.12 does");
        }

        string mode = line.TakeString("mode");
        if (mode is not ("core" or "small" or "thp"))
        {
            throw line.Error($"unknown mode \"{mode}\" (core, small, thp)");
        }

        int firstDevice = ParseDevices(line);
        line.Drop("layout");
        line.Drop("hot");
        bool hasRangeFaults = line.Has("rf") && line.TakeInt("rf", 1, 1) == 1;

        TraceHeader header = new()
        {
            Seed = line.TakeInt("seed", 0, int.MaxValue),
            Kernel = kernel,
            Mode = mode,
            PageCount = line.TakeInt("pages", 1, RegionLimit),
            OperationCount = line.TakeInt("nops", 1, int.MaxValue),
            PmdOffset = line.TakeInt("pmd_off", 0, PageOrder.PagesPerBlock - 1),
            FilePageCount = line.TakeInt("filepages", 0, RegionLimit),
            HasDiskFile = line.TakeBit("ext2"),
            FirstDevice = firstDevice,
            Script = line.Has("script") ? line.TakeString("script") : null,
            HasRangeFaults = hasRangeFaults,
            LineNumber = line.LineNumber,
        };
        line.ExpectNothingLeft();
        return header;
    }

    internal static TraceStep ParseStep(TraceLine line, TraceHeader header)
    {
        string name = line.TakeString("op");
        if (!TraceOperations.TryParse(name, out TraceOperation operation))
        {
            throw line.Error($"unknown operation \"{name}\"");
        }

        foreach (string flag in (ReadOnlySpan<string>)["ioctl_failed", "stale"])
        {
            if (line.Has(flag))
            {
                throw line.Error($"the recorder marked this step \"{flag}\": it holds no answer of the kernel to compare with");
            }
        }

        bool isDevice = TraceOperations.IsDeviceOperation(operation);
        bool hasPages = TraceOperations.HasPages(operation);
        int limit = header.PageCount + (isDevice ? PastEndLimit : 0);
        int page = hasPages ? line.TakeInt("page", 0, limit - 1) : 0;
        int count = hasPages ? line.TakeInt("n", 1, limit - page) : 0;
        TraceBadArgument bad = isDevice && line.Has("bad") ? ParseBad(line) : TraceBadArgument.None;
        int returnValue = line.TakeInt("ret", -1, 0);
        string errorName = line.TakeString("errno");
        if (Array.IndexOf(ErrorNames, errorName) < 0)
        {
            throw line.Error($"unknown errno \"{errorName}\"");
        }

        if (returnValue == 0 != (errorName == "0"))
        {
            throw line.Error($"ret {returnValue} and errno \"{errorName}\" contradict each other");
        }

        bool hasCounts = TraceOperations.HasCounts(operation)
            && !(returnValue != 0 && bad is TraceBadArgument.NoPages or TraceBadArgument.Unaligned or TraceBadArgument.Overflow);
        string prefix = returnValue == 0 ? "" : "err_";
        line.Drop("moved");
        line.Drop("kmsg");
        TraceStep step = new()
        {
            Step = line.TakeInt("step", 0, int.MaxValue),
            LineNumber = line.LineNumber,
            Operation = operation,
            Page = page,
            Count = count,
            Device = isDevice ? line.TakeInt("dev", 0, 1) : 0,
            Bad = bad,
            Tag = operation is TraceOperation.CpuWrite or TraceOperation.ChildWrite or TraceOperation.DeviceWrite ? line.TakeCount("tag") : 0,
            To = operation == TraceOperation.Remap ? line.TakeInt("to", 0, header.PageCount - count) : 0,
            Advice = operation == TraceOperation.Advise ? ParseAdvice(line) : default,
            Protection = operation is TraceOperation.Map or TraceOperation.Protect ? ParseProtection(line) : default,
            ReturnValue = returnValue,
            ErrorName = errorName,
            CopiedPageCount = hasCounts ? line.TakeCount(prefix + "cpages") : null,
            FaultCount = hasCounts ? line.TakeCount(prefix + "faults") : null,
            Data = HasData(operation, returnValue) ? ParseData(line, page, count, operation is TraceOperation.CpuWrite or TraceOperation.ChildWrite) : [],
            Snapshot = operation == TraceOperation.Snapshot && returnValue == 0 ? ParseSnapshot(line, page, count) : [],
            Pages = ParsePages(line, header.PageCount),
            Vmas = ParseVmas(line, header.PageCount),
            Child = line.Has("child") ? ParseChild(line, header.PageCount) : null,
        };
        step = operation switch
        {
            TraceOperation.Map => ParseMap(line, header, step),
            TraceOperation.RangeFault => ParseRangeFault(line, step),
            _ => step,
        };
        line.ExpectNothingLeft();
        return step;
    }

    private static bool HasData(TraceOperation operation, int returnValue) =>
        TraceOperations.IsCpuAccess(operation)
        || (returnValue == 0 && operation is TraceOperation.DeviceRead or TraceOperation.MigrateToDevice or TraceOperation.Exclusive);

    private static int ParseDevices(TraceLine line)
    {
        JsonElement devices = line.Take("devs");
        string text = devices.GetRawText().Replace(" ", "", StringComparison.Ordinal);
        return text switch
        {
            "[0,1]" => 0,
            "[2,3]" => 2,
            _ => throw line.Error($"\"devs\" is {text}; known pairs are [0,1] (private) and [2,3] (coherent)"),
        };
    }

    private static TraceBadArgument ParseBad(TraceLine line) => line.TakeString("bad") switch
    {
        "npages0" => TraceBadArgument.NoPages,
        "unaligned" => TraceBadArgument.Unaligned,
        "badptr" => TraceBadArgument.BadPointer,
        "overflow" => TraceBadArgument.Overflow,
        string other => throw line.Error($"unknown broken argument \"{other}\""),
    };

    private static Advice ParseAdvice(TraceLine line) => line.TakeString("advice") switch
    {
        "DONTNEED" => Advice.DontNeed,
        "FREE" => Advice.Free,
        "PAGEOUT" => Advice.PageOut,
        "HUGEPAGE" => Advice.HugePage,
        "NOHUGEPAGE" => Advice.NoHugePage,
        "COLLAPSE" => Advice.Collapse,
        string other => throw line.Error($"unknown advice \"{other}\""),
    };

    private static Protection ParseProtection(TraceLine line) => line.TakeString("prot") switch
    {
        "none" => Protection.None,
        "r" => Protection.Read,
        "rw" => Protection.ReadWrite,
        string other => throw line.Error($"unknown protection \"{other}\""),
    };

    private static TraceStep ParseMap(TraceLine line, TraceHeader header, TraceStep step)
    {
        string kind = line.TakeString("kind");
        (MappingKind mapping, bool isDisk) = kind switch
        {
            "anon" => (MappingKind.PrivateAnonymous, false),
            "anonsh" => (MappingKind.SharedAnonymous, false),
            "memfd_private" => (MappingKind.PrivateFile, false),
            "memfd_shared" => (MappingKind.SharedFile, false),
            "ext2_private" => (MappingKind.PrivateFile, true),
            "ext2_shared" => (MappingKind.SharedFile, true),
            "mixed" => (MappingKind.DriverMixed, false),
            _ => throw line.Error($"unknown mapping kind \"{kind}\""),
        };
        if (isDisk && !header.HasDiskFile)
        {
            throw line.Error($"maps \"{kind}\", but the header says that no disk file takes part");
        }

        return step with { MappingKind = mapping, IsDiskFile = isDisk, PageOffset = line.TakeCount("pgoff") };
    }

    private static TraceStep ParseRangeFault(TraceLine line, TraceStep step)
    {
        string owner = line.TakeString("owner");
        if (owner is not ("own" or "other" or "null"))
        {
            throw line.Error($"unknown owner \"{owner}\" (own, other, null)");
        }

        string mask = line.TakeString("mask");
        List<TraceRequestRun> requests = [];
        int at = step.Page;
        foreach (JsonElement run in line.TakeRuns("in", 3))
        {
            int count = TakeSpan(line, run, "in", ref at, step.Page + step.Count);
            requests.Add(new TraceRequestRun(at - count, count, ParseRequest(line, line.ToText(run[2], "in"), "in")));
        }

        ExpectCovered(line, "in", at, step.Page + step.Count);
        List<TraceResultRun> results = [];
        at = step.Page;
        foreach (JsonElement run in line.TakeRuns("out", 6))
        {
            int count = TakeSpan(line, run, "out", ref at, step.Page + step.Count);
            string flags = line.ToText(run[2], "out");
            string frame = line.ToText(run[5], "out");
            if (flags is not ("" or "V" or "VW" or "E") || frame is not ("-" or "=" or "z" or "Z" or "!"))
            {
                throw line.Error($"unknown result {run.GetRawText()}");
            }

            TraceResultRun result = new(at - count, count, flags, (int)line.ToLong(run[3], "out", 0, 31), line.ToLong(run[4], "out", 0, 1) == 1, frame[0]);
            if (result.Untouched && result is not { Flags: "", Order: 0, Frame: '-' })
            {
                throw line.Error($"an untouched word has no result: {run.GetRawText()}");
            }

            results.Add(result);
        }

        ExpectCovered(line, "out", at, step.Page + step.Count);
        return step with
        {
            DefaultFlags = ParseRequest(line, line.TakeString("def"), "def"),
            Mask = mask == "all" ? HmmRequestFlags.All : ParseRequest(line, mask, "mask"),
            RequestOwner = owner,
            MaxRetry = line.TakeInt("maxretry", 0, 1000),
            KeepArray = line.TakeBit("keep"),
            BusyCount = line.TakeInt("busy", 0, 1001),
            Requests = requests,
            Results = results,
        };
    }

    private static HmmRequestFlags ParseRequest(TraceLine line, string text, string name) => text switch
    {
        "" => HmmRequestFlags.None,
        "F" => HmmRequestFlags.Fault,
        "FW" => HmmRequestFlags.Fault | HmmRequestFlags.Write,
        _ => throw line.Error($"unknown request \"{text}\" in \"{name}\""),
    };

    private static List<TraceDataRun> ParseData(TraceLine line, int page, int count, bool isWrite)
    {
        List<TraceDataRun> runs = [];
        int at = page;
        foreach (JsonElement run in line.TakeRuns("data", 5))
        {
            int length = TakeSpan(line, run, "data", ref at, page + count);
            string status = line.ToText(run[2], "data");
            CpuAccessResult result = status switch
            {
                "ok" => CpuAccessResult.Ok,
                "segv_maperr" => CpuAccessResult.SegvMapErr,
                "segv_accerr" => CpuAccessResult.SegvAccErr,
                "sigbus" => CpuAccessResult.SigBus,
                _ => throw line.Error($"unknown outcome \"{status}\" (a torn page cannot be replayed)"),
            };
            ulong tag = (ulong)line.ToLong(run[3], "data", 0, long.MaxValue);
            ulong stride = (ulong)line.ToLong(run[4], "data", long.MinValue, long.MaxValue);

            // Columns that nothing would be compared with: a number there means that the line was written by somebody else.
            if ((tag != 0 && (isWrite || result != CpuAccessResult.Ok)) || (stride != 0 && (length == 1 || tag == 0)))
            {
                throw line.Error($"a run of \"data\" says more than it can mean: {run.GetRawText()}");
            }

            runs.Add(new TraceDataRun(at - length, length, result, tag, stride));
        }

        ExpectCovered(line, "data", at, page + count);
        return runs;
    }

    private static List<TraceByteRun> ParseSnapshot(TraceLine line, int page, int count)
    {
        List<TraceByteRun> runs = [];
        int at = page;
        foreach (JsonElement run in line.TakeRuns("snap", 3))
        {
            int length = TakeSpan(line, run, "snap", ref at, page + count);
            runs.Add(new TraceByteRun(at - length, length, (byte)line.ToLong(run[2], "snap", 0, 255)));
        }

        ExpectCovered(line, "snap", at, page + count);
        return runs;
    }

    private static List<TracePageRun> ParsePages(TraceLine line, int pageCount)
    {
        List<TracePageRun> runs = [];
        int at = 0;
        foreach (JsonElement run in line.TakeRuns("obs", 9))
        {
            int count = TakeSpan(line, run, "obs", ref at, pageCount);
            TracePageFlags flags = ParseFlags(line, line.ToText(run[5], "obs")) | ParseFrameLetters(line, line.ToText(run[6], "obs"));
            TracePage page = new(
                (byte)line.ToLong(run[2], "obs", 0, 255),
                (byte)line.ToLong(run[3], "obs", 0, 255),
                ParseEntry(line, line.ToText(run[4], "obs")),
                flags,
                (uint)line.ToLong(run[7], "obs", 0, uint.MaxValue),
                (int)line.ToLong(run[8], "obs", 0, pageCount));
            runs.Add(new TracePageRun(at - count, count, page));
        }

        ExpectCovered(line, "obs", at, pageCount);
        return runs;
    }

    private static List<TraceChildRun> ParseChild(TraceLine line, int pageCount)
    {
        List<TraceChildRun> runs = [];
        int at = 0;
        foreach (JsonElement run in line.TakeRuns("child", 5))
        {
            int count = TakeSpan(line, run, "child", ref at, pageCount);
            string frame = line.ToText(run[4], "child");
            if (frame is not ("=" or "!" or "."))
            {
                throw line.Error($"unknown frame comparison \"{frame}\" in \"child\"");
            }

            runs.Add(new TraceChildRun(
                at - count,
                count,
                ParseEntry(line, line.ToText(run[2], "child")),
                ParseFlags(line, line.ToText(run[3], "child")),
                frame[0]));
        }

        ExpectCovered(line, "child", at, pageCount);
        return runs;
    }

    private static List<TraceVma> ParseVmas(TraceLine line, int pageCount)
    {
        List<TraceVma> vmas = [];
        int at = 0;
        foreach (JsonElement run in line.TakeRuns("vmas", 5))
        {
            int page = (int)line.ToLong(run[0], "vmas", at, pageCount - 1);
            int count = (int)line.ToLong(run[1], "vmas", 1, pageCount - page);
            string permissions = line.ToText(run[2], "vmas");
            string kind = line.ToText(run[3], "vmas");
            if (permissions is not ("rw-p" or "r--p" or "---p" or "rw-s" or "r--s" or "---s")
                || kind is not ("anon" or "anonsh" or "memfd" or "ext2" or "mixed"))
            {
                throw line.Error($"unknown VMA {run.GetRawText()}");
            }

            vmas.Add(new TraceVma(page, count, permissions, kind, (ulong)line.ToLong(run[4], "vmas", 0, long.MaxValue)));
            at = page + count;
        }

        return vmas;
    }

    private static char ParseEntry(TraceLine line, string text) =>
        text.Length == 1 && "-PSDdXxMK".Contains(text[0], StringComparison.Ordinal) ? text[0] : throw line.Error($"unknown entry \"{text}\"");

    private static TracePageFlags ParseFlags(TraceLine line, string text)
    {
        TracePageFlags flags = TracePageFlags.None;
        foreach (char letter in text)
        {
            flags |= letter switch
            {
                'f' => TracePageFlags.File,
                'e' => TracePageFlags.Exclusive,
                's' => TracePageFlags.SoftDirty,
                _ => throw line.Error($"unknown page map flag '{letter}'"),
            };
        }

        return flags;
    }

    private static TracePageFlags ParseFrameLetters(TraceLine line, string text)
    {
        TracePageFlags flags = TracePageFlags.None;
        foreach (char letter in text)
        {
            flags |= letter switch
            {
                'A' => TracePageFlags.Anonymous,
                'B' => TracePageFlags.SwapBacked,
                'C' => TracePageFlags.SwapCache,
                'Z' => TracePageFlags.Zero,
                'T' => TracePageFlags.HugePart,
                _ => throw line.Error($"unknown frame letter '{letter}'"),
            };
        }

        return flags;
    }

    /// <summary>Takes a run's first two columns: it must begin where the one before ended. Returns its length and moves on.</summary>
    private static int TakeSpan(TraceLine line, JsonElement run, string name, ref int at, int end)
    {
        int page = (int)line.ToLong(run[0], name, int.MinValue, int.MaxValue);
        if (page != at)
        {
            throw line.Error($"a run of \"{name}\" begins at page {page}; the one before ended at {at}");
        }

        int count = (int)line.ToLong(run[1], name, 1, Math.Max(end - at, 0));
        at += count;
        return count;
    }

    private static void ExpectCovered(TraceLine line, string name, int at, int end)
    {
        if (at != end)
        {
            throw line.Error($"\"{name}\" ends at page {at} instead of {end}");
        }
    }
}
