using HmmFast.Faulting;
using HmmFast.Policies;

namespace HmmFast.Properties.Equivalence;

/// <content>Answers in other shapes than one word a page: asked of the engine, and made from words on the reference.</content>
public sealed partial class World
{
    // A range fault that goes on being busy is a mistake, too.
    private const int MostTries = 4096;

    // Hands out an alias for every foreign page that has one, whatever the request.
    private static readonly AliasAlwaysPolicy Aliasing = new();

    private HmmRange ColumnRequest(Random random, VpnRange range, IMmuIntervalNotifier notifier, bool hasPartial = true)
    {
        IHmmPolicy? policy = random.Next(4) switch { 0 => null, 1 => Aliasing, _ => PolicyCatalog.All[random.Next(PolicyCatalog.All.Count)] };
        HmmPfnLayout layout = Shape.Options.Layout;

        // The last is no client at all.
        int client = random.Next(4);
        return new HmmRange
        {
            Range = range,
            Notifier = notifier,
            NotifierSequence = notifier.ReadBegin(),
            DefaultFlags = (random.Next(3) switch { 0 => HmmRequestFlags.None, 1 => HmmRequestFlags.Fault, _ => HmmRequestFlags.Fault | HmmRequestFlags.Write })
                | (layout.AllowP2pBit != 0 && random.Next(2) == 0 ? HmmRequestFlags.AllowP2p : HmmRequestFlags.None),
            Owner = random.Next(4) switch { 0 => OwnerId.Null, 1 => _owners[1], 2 => _owners[2], _ => _owners[0] },
            FaultHabit = Shape.OnlyAsked ? FaultHabit.OnlyAsked : FaultHabit.RunForward,
            Policy = policy is { TypedOutput: true } && layout.TypePrivateBit == 0 ? null : policy,
            Client = client < _clients.Length - (hasPartial ? 0 : 1) ? _clients[client] : null,
        };
    }

    private void Extents(IAddressSpace space, VpnRange range, Operation operation)
    {
        if (range.IsEmpty)
        {
            return;
        }

        var random = new Random(operation.B);
        using IMmuIntervalNotifier notifier = space.InsertNotifier(range, null);
        HmmRange request = ColumnRequest(random, range, notifier);
        int room = random.Next(3) switch { 0 => 1 + random.Next(3), 1 => 1 + random.Next(90), _ => (int)range.PageCount };
        var words = new List<ulong>();
        SayIfStale(space, request, operation, room);
        Say(space is IColumnAddressSpace columns ? Expand(columns, request, room, words) : Words(space, request, words));
        _answer.Add((ulong)words.Count);
        _answer.AddRange(words);
    }

    /// <summary>Where something changed in the range since the sequence was read, a call must answer nothing.</summary>
    private void SayIfStale(IAddressSpace space, HmmRange request, Operation operation, int room)
    {
        if (!InvalidateBetween(space, request.Range, operation))
        {
            return;
        }

        if (space is IColumnAddressSpace columns)
        {
            Say(columns.RangeFaultExtents(request, new uint[room], new HmmPfn[room], out _, out ulong covered));
            _answer.Add(covered);
            Say(columns.RangeFaultBatch(request, [request.Range.Start], new HmmPfn[1], out int answered));
            _answer.Add((ulong)answered);
            return;
        }

        for (int i = 0; i < 2; i++)
        {
            Say(space.RangeFault(request, new HmmPfn[request.Range.PageCount]));
            _answer.Add(0);
        }
    }

    /// <summary>True when a call waits for a migration: busy though nothing has changed, which no other call would alter.</summary>
    private static bool IsWaiting(HmmStatus status, HmmRange asked) => status == HmmStatus.Busy && !asked.Notifier.ReadRetry(asked.NotifierSequence);

    /// <summary>The reference's side: words, as far as they are final.</summary>
    private static HmmStatus Words(IAddressSpace space, HmmRange request, List<ulong> answers)
    {
        // No answer looks like this: neither valid, nor an error, nor nothing.
        const ulong Untouched = 0xA5A5UL << 20;
        var words = new HmmPfn[request.Range.PageCount];
        HmmStatus status = HmmStatus.Busy;
        for (int tries = 0; status == HmmStatus.Busy && tries < MostTries; tries++)
        {
            Array.Fill(words, new HmmPfn(Untouched));
            HmmRange now = request with { NotifierSequence = request.Notifier.ReadBegin() };
            status = space.RangeFault(now, words);
            if (IsWaiting(status, now))
            {
                break;
            }
        }

        foreach (HmmPfn word in words)
        {
            if (word.Raw == Untouched)
            {
                break;
            }

            answers.Add(word.Raw);
        }

        return status;
    }

    /// <summary>The engine's side: runs, written out.</summary>
    private HmmStatus Expand(IColumnAddressSpace space, HmmRange request, int room, List<ulong> answers)
    {
        HmmPfnLayout layout = Shape.Options.Layout;
        var starts = new uint[room];
        var firsts = new HmmPfn[room];
        VpnRange whole = request.Range;
        HmmStatus status = HmmStatus.Ok;
        for (int tries = 0; (ulong)answers.Count < whole.PageCount && tries < MostTries; tries++)
        {
            VpnRange rest = VpnRange.FromBounds(whole.Start + (ulong)answers.Count, whole.End);
            HmmRange now = request with { Range = rest, NotifierSequence = request.Notifier.ReadBegin() };
            status = space.RangeFaultExtents(now, starts, firsts, out int count, out ulong covered);
            if (status is not (HmmStatus.Ok or HmmStatus.Busy) && covered == 0 && count != 0)
            {
                throw new CheckFailedException($"{count} runs that cover nothing");
            }

            if (status == HmmStatus.Ok && covered < rest.PageCount && count < room)
            {
                throw new CheckFailedException($"{count} runs of {room} over {covered} pages of {rest.PageCount}");
            }

            Expand(layout, starts.AsSpan(0, count), firsts, covered, answers);
            if (status is not (HmmStatus.Ok or HmmStatus.Busy) || IsWaiting(status, now))
            {
                break;
            }
        }

        return status;
    }

    private static void Expand(HmmPfnLayout layout, ReadOnlySpan<uint> starts, ReadOnlySpan<HmmPfn> firsts, ulong covered, List<ulong> answers)
    {
        int before = answers.Count;
        for (int i = 0; i < starts.Length; i++)
        {
            ulong step = layout.IsValid(firsts[i]) ? 1UL : 0;
            ulong end = i + 1 < starts.Length ? starts[i + 1] : covered;
            if (starts[i] != answers.Count - before || end <= starts[i])
            {
                throw new CheckFailedException($"run {i} goes from {starts[i]} to {end} where {answers.Count - before} pages stand");
            }

            for (ulong page = 0; page < end - starts[i]; page++)
            {
                answers.Add(firsts[i].Raw + (page * step));
            }

            if (i + 1 < starts.Length && firsts[i + 1].Raw == firsts[i].Raw + ((end - starts[i]) * step))
            {
                throw new CheckFailedException($"runs {i} and {i + 1} could be one");
            }
        }
    }

    private void Batch(IAddressSpace space, VpnRange range, Operation operation)
    {
        if (range.IsEmpty)
        {
            return;
        }

        var random = new Random(operation.B);
        using IMmuIntervalNotifier notifier = space.InsertNotifier(range, null);
        HmmPfnLayout layout = Shape.Options.Layout;
        HmmRange request = ColumnRequest(random, range, notifier) with
        {
            PfnFlagsMask = (HmmRequestFlags)random.Next(8),
            IgnoresWords = random.Next(4) == 0,
        };
        var pages = new Vpn[1 + random.Next(60)];
        var words = new HmmPfn[pages.Length];
        int style = random.Next(4);
        for (int i = 0; i < pages.Length; i++)
        {
            pages[i] = range.Start + (ulong)random.NextInt64((long)range.PageCount);
            words[i] = new HmmPfn(layout.Encode(RandomRequest(random, style, i)) | ((ulong)random.NextInt64() & layout.StickyMask) | ((0xA5A5UL << 20) + (uint)i));
        }

        int done = 0;
        HmmStatus status = HmmStatus.Ok;
        for (int tries = 0; done < pages.Length && status is HmmStatus.Ok or HmmStatus.Busy && tries < MostTries; tries++)
        {
            HmmRange now = request with { NotifierSequence = notifier.ReadBegin() };
            if (space is IColumnAddressSpace columns)
            {
                status = columns.RangeFaultBatch(now, pages.AsSpan(done), words.AsSpan(done), out int answered);
                done += answered;
            }
            else
            {
                status = space.RangeFault(now with { Range = new VpnRange(pages[done], 1) }, words.AsSpan(done, 1));
                done += status == HmmStatus.Ok ? 1 : 0;
            }

            if (IsWaiting(status, now))
            {
                break;
            }
        }

        Say(status);
        _answer.Add((ulong)done);
        foreach (HmmPfn word in words)
        {
            _answer.Add(word.Raw);
        }
    }

    private void Classify(IAddressSpace space, VpnRange range, Operation operation)
    {
        if (range.IsEmpty)
        {
            return;
        }

        var random = new Random(operation.B);
        using IMmuIntervalNotifier notifier = space.InsertNotifier(range, null);

        // Where only some pages have an alias, what a policy will say of each is not counted.
        HmmRange request = ColumnRequest(random, range, notifier, hasPartial: false);
        var work = new ulong[(range.PageCount + 63) / 64];
        HmmClassification counts;
        if (space is IColumnAddressSpace columns)
        {
            Say(HmmStatus.Ok);
            Array.Fill(work, ulong.MaxValue);
            counts = columns.Classify(request, work);
            HmmClassification again = columns.Classify(request, default);
            if (again != counts)
            {
                throw new CheckFailedException($"with a bitmap {counts}, without {again}");
            }
        }
        else
        {
            counts = Counted(space, request, work);
        }

        foreach (long count in (long[])[counts.Valid, counts.Error, counts.Empty, counts.ReadFaults, counts.WriteFaults, counts.Special])
        {
            _answer.Add((ulong)count);
        }

        _answer.AddRange(work);
    }

    /// <summary>The reference's side: what the words say that nobody is asked for, and what would be asked beyond them.</summary>
    private HmmClassification Counted(IAddressSpace space, HmmRange request, ulong[] work)
    {
        HmmPfnLayout layout = Shape.Options.Layout;
        bool fault = (request.DefaultFlags & HmmRequestFlags.Fault) != 0;
        bool write = fault && (request.DefaultFlags & HmmRequestFlags.Write) != 0;
        var words = new HmmPfn[request.Range.PageCount];
        var pages = new PageObservation[words.Length];
        Say(space.RangeFault(request with { DefaultFlags = request.DefaultFlags & HmmRequestFlags.AllowP2p }, words));
        space.Observe(request.Range, pages);
        VpnRange range = request.Range;
        HmmClassification counts = default;
        for (int i = 0; i < words.Length; i++)
        {
            bool isValid = layout.IsValid(words[i]);
            bool lacksWrite = isValid && write && (words[i].Raw & layout.WriteBit) == 0 && pages[i].Kind != PageEntryKind.DevicePrivate;
            if (fault && IsSpecial(space, pages[i], range.Start + (ulong)i, write))
            {
                counts.Special++;
                work[i / 64] |= 1UL << (i % 64);
            }
            else if (layout.IsError(words[i]) && !(write && pages[i].IsSpecial && IsReadable(space, range.Start + (ulong)i)))
            {
                counts.Error++;
            }
            else if (lacksWrite || (!isValid && fault))
            {
                counts.WriteFaults += write ? 1 : 0;
                counts.ReadFaults += write ? 0 : 1;
                work[i / 64] |= 1UL << (i % 64);
            }
            else
            {
                counts.Valid += isValid ? 1 : 0;
                counts.Empty += isValid ? 0 : 1;
            }
        }

        return counts;
    }

    /// <summary>An asked page that ends a range fault or makes it wait, rather than being faulted.</summary>
    private static bool IsSpecial(IAddressSpace space, PageObservation page, Vpn vpn, bool write) =>
        (page.Kind is PageEntryKind.Migration or PageEntryKind.Marker || (page.IsSpecial && !write)) && IsReadable(space, vpn);

    private static bool IsReadable(IAddressSpace space, Vpn vpn) =>
        space.Vmas.Any(vma => vma.Range.Contains(vpn) && (vma.Protection & Protection.Read) != 0);
}
