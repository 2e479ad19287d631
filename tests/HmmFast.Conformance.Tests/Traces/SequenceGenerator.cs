using HmmFast.Simulation.Traces;

namespace HmmFast.Conformance.Tests.Traces;

/// <summary>Random sequences of the recorder's kind: its geometries, its operations in about its shares, overlapping in a hot spot.</summary>
internal sealed class SequenceGenerator
{
    private static readonly int[] RegionSizes = [16, 24, 32, 48, 64];
    private static readonly int[] Offsets = [480, 488, 496, 500, 504];

    private static readonly (TraceOperation Operation, int Weight)[] Weights =
    [
        (TraceOperation.CpuWrite, 14), (TraceOperation.MigrateToDevice, 13), (TraceOperation.CpuRead, 10), (TraceOperation.DeviceWrite, 8),
        (TraceOperation.Map, 7), (TraceOperation.DeviceRead, 8), (TraceOperation.Advise, 8), (TraceOperation.Protect, 7), (TraceOperation.Exclusive, 6),
        (TraceOperation.MigrateToSystem, 5), (TraceOperation.CheckExclusive, 2), (TraceOperation.Unmap, 2), (TraceOperation.Fork, 3),
        (TraceOperation.Snapshot, 1), (TraceOperation.ChildRead, 3), (TraceOperation.ChildWrite, 3), (TraceOperation.ChildExit, 1),
        (TraceOperation.ClearSoftDirty, 1), (TraceOperation.Remap, 2), (TraceOperation.RangeFault, 20),
    ];

    private readonly Random _random;
    private readonly bool _isFull;
    private readonly int _hot;

    internal SequenceGenerator(int seed, string mode, DeviceMemoryKind kind)
    {
        _random = new Random(seed);
        IsHuge = mode == "thp";
        _isFull = mode != "core";
        int pages = IsHuge ? 1056 : RegionSizes[_random.Next(RegionSizes.Length)];
        Header = new TraceHeader
        {
            Seed = seed,
            Kernel = "6.12.generated",
            Mode = mode,
            PageCount = pages,
            OperationCount = 40,
            PmdOffset = IsHuge ? 496 : _random.Next(2) == 0 ? 0 : Offsets[_random.Next(Offsets.Length)],
            FilePageCount = IsHuge ? 192 : pages * 3 / 4,
            HasDiskFile = _isFull && !IsHuge,
            FirstDevice = kind == DeviceMemoryKind.Private ? 0 : 2,
            LineNumber = 0,
        };
        _hot = _random.Next(Math.Max(1, pages - 10));
    }

    internal TraceHeader Header { get; }

    private bool IsHuge { get; }

    internal TraceStep First() => Step(TraceOperation.Map, 0, Header.PageCount) with { Protection = Protection.ReadWrite };

    internal TraceStep Next(int number, bool hasChild)
    {
        if (IsHuge && number == 1)
        {
            return Step(TraceOperation.Advise, 16, _random.Next(2) == 0 ? 512 : 1024) with { Advice = Advice.HugePage };
        }

        TraceOperation operation;
        do
        {
            operation = PickOperation();
        }
        while (!IsPossible(operation, hasChild));

        (int page, int count) = PickRange(operation);
        TraceStep step = Step(operation, page, count) with { Tag = ((ulong)number << 16) | (uint)(page + 1), Device = _random.Next(3) == 0 ? 1 : 0 };
        return operation switch
        {
            TraceOperation.Map => WithMapping(step),
            TraceOperation.Protect => step with { Protection = PickProtection() },
            TraceOperation.Advise => WithAdvice(step),
            TraceOperation.Remap => WithTarget(step),
            TraceOperation.RangeFault => WithRequest(step),
            _ when TraceOperations.IsDeviceOperation(operation) && _random.Next(40) == 0 => step with { Bad = (TraceBadArgument)(1 + _random.Next(4)) },
            _ => step,
        };
    }

    private static TraceStep Step(TraceOperation operation, int page, int count) => new()
    {
        Step = 0,
        LineNumber = 0,
        Operation = operation,
        Page = page,
        Count = count,
        ReturnValue = 0,
        ErrorName = "0",
        Pages = [],
        Vmas = [],
    };

    private TraceOperation PickOperation()
    {
        int at = _random.Next(Weights.Sum(static entry => entry.Weight));
        foreach ((TraceOperation operation, int weight) in Weights)
        {
            at -= weight;
            if (at < 0)
            {
                return operation;
            }
        }

        return TraceOperation.CpuRead;
    }

    private bool IsPossible(TraceOperation operation, bool hasChild) => operation switch
    {
        TraceOperation.Fork => !hasChild,
        TraceOperation.ChildRead or TraceOperation.ChildWrite or TraceOperation.ChildExit => hasChild,
        TraceOperation.ClearSoftDirty or TraceOperation.Remap => _isFull,
        _ => true,
    };

    private (int Page, int Count) PickRange(TraceOperation operation)
    {
        if (!TraceOperations.HasPages(operation))
        {
            return (0, 0);
        }

        int pages = Header.PageCount;
        if (IsHuge && _random.Next(3) == 0)
        {
            return _random.Next(4) switch
            {
                0 => (16, 1024),
                1 => (0, pages),
                _ => (16 + 512 * _random.Next(2), 512),
            };
        }

        if (_random.Next(25) == 0)
        {
            return (0, pages);
        }

        int page = IsHuge
            ? (_random.Next(3) == 0 ? 16 + 512 * _random.Next(2) + _random.Next(4) : _random.Next(pages))
            : _random.Next(3) != 0 ? _hot + _random.Next(10) : _random.Next(pages);
        page = Math.Min(page, pages - 1);
        int most = IsHuge ? 80 : _random.Next(4) == 0 ? 16 : 5;
        int count = 1 + (_random.Next(3) == 0 ? 0 : _random.Next(most));
        int past = TraceOperations.IsDeviceOperation(operation) && operation != TraceOperation.Exclusive && _random.Next(8) == 0 ? 8 : 0;
        return (page, Math.Min(count, pages + past - page));
    }

    private Protection PickProtection() => _random.Next(10) switch
    {
        < 5 => Protection.ReadWrite,
        < 8 => Protection.Read,
        _ => Protection.None,
    };

    private TraceStep WithMapping(TraceStep step)
    {
        MappingKind kind = _random.Next(10) switch
        {
            < 4 => MappingKind.PrivateAnonymous,
            < 6 => MappingKind.PrivateFile,
            < 8 => MappingKind.SharedFile,
            8 => MappingKind.SharedAnonymous,
            _ => MappingKind.DriverMixed,
        };
        bool isFile = kind is MappingKind.PrivateFile or MappingKind.SharedFile;
        Protection protection = kind == MappingKind.DriverMixed ? Protection.ReadWrite : _random.Next(4) == 0 ? PickProtection() : Protection.ReadWrite;
        return step with
        {
            MappingKind = kind,
            Protection = protection,
            PageOffset = isFile ? (ulong)_random.Next(Header.FilePageCount) : 0,
            IsDiskFile = isFile && Header.HasDiskFile && _random.Next(3) == 0,
        };
    }

    private TraceStep WithAdvice(TraceStep step)
    {
        if (!_isFull)
        {
            return step with { Advice = Advice.DontNeed };
        }

        Advice advice = _random.Next(10) switch
        {
            < 3 => Advice.DontNeed,
            < 6 => Advice.PageOut,
            6 => Advice.Free,
            7 => Advice.NoHugePage,
            8 => IsHuge ? Advice.Collapse : Advice.PageOut,
            _ => IsHuge ? Advice.HugePage : Advice.DontNeed,
        };

        // Collapsing is asked of whole blocks, as the recorder does; parts of one are refused and show nothing.
        return advice is Advice.Collapse or Advice.HugePage or Advice.NoHugePage && IsHuge
            ? step with { Advice = advice, Page = 16 + 512 * _random.Next(2), Count = 512 }
            : step with { Advice = advice };
    }

    private TraceStep WithTarget(TraceStep step)
    {
        if (IsHuge && _random.Next(2) == 0)
        {
            return step with { Page = 16, Count = 512, To = 528 };
        }

        int count = Math.Min(step.Count, Header.PageCount / 3);
        int page = Math.Min(step.Page, Header.PageCount - count);
        int to;
        do
        {
            to = _random.Next(Header.PageCount - count + 1);
        }
        while (Math.Abs(to - page) < count);

        return step with { Page = page, Count = count, To = to };
    }

    private TraceStep WithRequest(TraceStep step)
    {
        HmmRequestFlags[] choices = [HmmRequestFlags.None, HmmRequestFlags.Fault, HmmRequestFlags.Fault | HmmRequestFlags.Write];
        int count = Math.Min(step.Count, 512);
        List<TraceRequestRun> requests = [];
        for (int at = 0; at < count;)
        {
            int length = Math.Min(count - at, 1 + _random.Next(4));
            requests.Add(new TraceRequestRun(step.Page + at, length, choices[_random.Next(3)]));
            at += length;
        }

        return step with
        {
            Count = count,
            DefaultFlags = _random.Next(2) == 0 ? HmmRequestFlags.None : choices[_random.Next(3)],
            Mask = _random.Next(4) == 0 ? HmmRequestFlags.All : choices[_random.Next(3)],
            RequestOwner = _random.Next(4) switch { 0 => "other", 1 => "null", _ => "own" },
            MaxRetry = _random.Next(5) == 0 ? 0 : 8,
            KeepArray = _random.Next(5) == 0,
            Requests = requests,
        };
    }
}
