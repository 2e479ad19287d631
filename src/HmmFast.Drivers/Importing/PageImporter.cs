using System.Runtime.InteropServices;
using HmmFast.Dma;
using HmmFast.Drivers.Fabric;
using HmmFast.Drivers.Moving;
using HmmFast.Policies;

namespace HmmFast.Drivers.Importing;

/// <summary>
/// The part every importing driver has: it watches a range, range-faults pieces of it under a policy, maps what it is handed, and answers a failing
/// map as the policy says: fatal, that page again, or the whole range again.
/// </summary>
/// <remarks>
/// <para>One request: read the notifier's sequence, fault, check afterwards if the policy does, map, see that the sequence still holds; a stale one
/// starts it again. Its table of words and outcomes changes only when all of that went well, or by an invalidation.</para>
/// <para>Private pfns never go to the DMA map: the importer uses them over its private link, or has the exporter map them (<see cref="IPagemapExporter"/>, into a map of their own,
/// until they are invalidated), or cannot use them at all.</para>
/// <para>Source: the loop that <c>hmm_range_fault</c>'s users share (read the sequence, fault, map, check the sequence, begin again while it is stale), with the answers to a failing map of
/// the proposals that the policy stands for. Cost: 9 bytes of table a page of the registration and 18 of scratch a page of the longest request; a request is a range fault, one pass for each run
/// of pages of one kind, and a DMA map. Not safe for concurrent calls.</para>
/// </remarks>
public sealed partial class PageImporter : IRunInvalidationHandler, IDisposable
{
    private readonly IAddressSpace _space;
    private readonly HmmPfnLayout _layout;
    private readonly IHmmPolicy _policy;
    private readonly ImporterOptions _options;
    private readonly IHmmDmaMap _map;
    private readonly ExporterMappings? _exported;
    private readonly IMmuIntervalNotifier _notifier;
    private readonly ImportTable _table;
    private HmmPfn[] _scratchWords = [];
    private DmaAddress[] _scratchAddresses = [];
    private PageOutcome[] _scratchOutcomes = [];
    private bool[] _denied = [];
    private PageOutcome _systemOutcome = PageOutcome.System;
    private ulong _sequence;
    private ImporterCounters _counters;

    /// <summary>Registers an importer over a range.</summary>
    /// <param name="space">The address space.</param>
    /// <param name="fabric">The devices.</param>
    /// <param name="member">Which of them imports.</param>
    /// <param name="dma">Its DMA API.</param>
    /// <param name="registration">The pages it may ask for; at most <see cref="Array.MaxLength"/>.</param>
    /// <param name="options">How it asks; null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">The registration is empty, too long or outside the window, or the options ask for calls of no pages.</exception>
    /// <exception cref="NotSupportedException">The device would need bouncing or syncing: it cannot take part in HMM.</exception>
    /// <exception cref="InsufficientMemoryException">No IOVA range is long enough.</exception>
    public PageImporter(IAddressSpace space, DeviceFabric fabric, int member, IDmaDevice dma, VpnRange registration, ImporterOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(space);
        ArgumentNullException.ThrowIfNull(fabric);
        ArgumentNullException.ThrowIfNull(dma);
        if (registration.IsEmpty || registration.PageCount > (ulong)Array.MaxLength)
        {
            throw new ArgumentOutOfRangeException(nameof(registration), registration, $"An importer registers 1 to {Array.MaxLength} pages, not {registration.PageCount}.");
        }

        _space = space;
        _layout = space.Memory.Options.Layout;
        _policy = fabric.Policy;
        _options = options ?? new ImporterOptions();
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(_options.CallPageCount, nameof(options));
        Writes = _options.Writes;
        Fabric = fabric;
        Member = member;
        Registration = registration;
        _map = NewMap(dma);
        try
        {
            _exported = _policy.ExporterMaps ? new ExporterMappings(NewMap(dma), fabric, space.Memory) : null;
            _table = new ImportTable((int)registration.PageCount);
            _notifier = space.InsertNotifier(registration, this);
        }
        catch
        {
            _table?.Dispose();
            _exported?.Dispose();
            _map.Dispose();
            throw;
        }
    }

    /// <summary>The devices.</summary>
    public DeviceFabric Fabric { get; }

    /// <summary>Which of them this is.</summary>
    public int Member { get; }

    /// <summary>As the policies see it.</summary>
    public HmmClient Client => Fabric.ClientOf(Member);

    /// <summary>The pages it may ask for.</summary>
    public VpnRange Registration { get; }

    /// <summary>What it has done.</summary>
    public ImporterCounters Counters => _counters;

    /// <summary>What its DMA map has done.</summary>
    public DmaMapCounters DmaCounters => _map.Counters;

    /// <summary>What exporters have done in the map that they map into for it; nothing where the policy's exporters map nothing.</summary>
    public DmaMapCounters ExporterDmaCounters => _exported?.Counters ?? default;

    /// <summary>The address that an exporter mapped a page to.</summary>
    /// <param name="index">The page, counted from the registration's start.</param>
    /// <returns>An error for a page that ended as anything but <see cref="PageOutcome.PrivateExporterMapped"/>.</returns>
    public DmaAddress ExporterAddressOf(int index) =>
        _exported is not null && Outcomes[index] == PageOutcome.PrivateExporterMapped ? _exported.AddressOf(index) : DmaAddress.MappingError;

    /// <summary>The owner it asks with instead of its own; NULL forces system memory, null takes its own.</summary>
    public OwnerId? OwnerOverride { get; set; }

    /// <summary>Asks for write access too.</summary>
    public bool Writes { get; set; }

    /// <summary>Told each step; null for nobody.</summary>
    public ImportObserver? Observer { get; set; }

    /// <summary>Told each hmm_range_fault call; null for nobody.</summary>
    public ICallObserver? CallObserver { get; set; }

    /// <summary>Called between the range fault and the DMA map, where the world may change; null for nothing. For tests.</summary>
    public Action? BetweenFaultAndMap { get; set; }

    /// <summary>Called after each range fault, where the world may change; null for nothing. For tests.</summary>
    public Action? BetweenCalls { get; set; }

    /// <summary>The importer's table: one word a page of <see cref="Registration"/>, 0 where it has nothing.</summary>
    /// <remarks>The span is good until the importer is disposed.</remarks>
    public ReadOnlySpan<HmmPfn> Words => _table.Words;

    /// <summary>What each page of <see cref="Registration"/> ended as.</summary>
    /// <remarks>The span is good until the importer is disposed.</remarks>
    public ReadOnlySpan<PageOutcome> Outcomes => _table.Outcomes;

    /// <summary>True when the table has an answer for every page of a range. Cost: 8 bytes read a page, up to the first that has none.</summary>
    /// <param name="range">Inside <see cref="Registration"/>.</param>
    public bool HoldsAll(VpnRange range) => _table.HoldsAll((int)(range.Start - Registration.Start), (int)range.PageCount);

    /// <summary>Asks for a range, until it is mapped or cannot be.</summary>
    /// <param name="range">Inside <see cref="Registration"/>.</param>
    /// <returns>
    /// Ok; RemoteIo when private pfns came that it cannot use (the others are mapped); Fault, NotPermitted, OutOfMemory as the range fault or the DMA map
    /// said (nothing of the range is mapped); Busy when the retry limit was reached.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">The range is empty or not inside the registration.</exception>
    public HmmStatus Resolve(VpnRange range)
    {
        if (range.IsEmpty || !Registration.Contains(range))
        {
            throw new ArgumentOutOfRangeException(nameof(range), range, $"{range} is not a part of the registration {Registration}.");
        }

        int count = (int)range.PageCount;
        Grow(count);
        _counters.Requests++;
        _counters.RequestedPages += range.PageCount;
        HmmStatus status = Ask(range, count);
        if (status is not (HmmStatus.Ok or HmmStatus.RemoteIo))
        {
            _counters.FailedRequests++;
            Fail(range, count);
        }

        return status;
    }

    /// <inheritdoc/>
    /// <remarks>Everything in the overlap is unmapped and leaves the table, before the entries change.</remarks>
    public bool Invalidate(IMmuIntervalNotifier notifier, in InvalidationInfo info)
    {
        // Called for every page that migrates, whoever's it is: the usual answer, that nothing is held there, must come fast.
        ulong first = Math.Max(info.Range.Start.Value, Registration.Start.Value);
        ulong end = Math.Min(info.Range.End.Value, Registration.End.Value);
        if (first < end)
        {
            Drop((int)(first - Registration.Start.Value), (int)(end - first));
        }

        return true;
    }

    /// <inheritdoc/>
    public ulong InvalidateEach(IMmuIntervalNotifier notifier, in InvalidationInfo info)
    {
        int first = (int)(info.Range.Start - Registration.Start);
        int count = (int)info.Range.PageCount;
        int held = _table.CountHeld(first, count);
        if (held == count)
        {
            Drop(first, count);
            _counters.TlbInvalidations += (ulong)(held - 1);
        }
        else if (held != 0)
        {
            for (int i = first; i < first + count; i++)
            {
                Drop(i, 1);
            }
        }

        return (ulong)count;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _notifier.Dispose();
        if (!_table.IsDisposed)
        {
            _exported?.Unmap(_table, 0, _table.Words.Length);
            _exported?.Dispose();
            _table.Unmap(_map, 0, _table.Words.Length);
            _map.Dispose();
            _table.Dispose();
        }
    }

    private IHmmDmaMap NewMap(IDmaDevice dma)
    {
        HmmStatus status = dma.TryCreateMap((int)Registration.PageCount, out IHmmDmaMap? map);
        return status switch
        {
            HmmStatus.Ok => map!,
            HmmStatus.NotSupported => throw new NotSupportedException($"\"{Client.Name}\" would need bouncing or syncing (DMA mask of {dma.Options.MaskBits} bits): HMM refuses it."),
            _ => throw new InsufficientMemoryException($"\"{Client.Name}\" has no free IOVA range of {Registration.PageCount} pages below its mask of {dma.Options.MaskBits} bits."),
        };
    }

    private HmmStatus Ask(VpnRange range, int count)
    {
        bool allow = _policy.RequestsP2p;
        bool perPage = false;
        OwnerId owner = OwnerOverride ?? Fabric.OwnerOf(Member);
        int busy = 0;
        _systemOutcome = PageOutcome.System;
        _denied.AsSpan(0, count).Clear();
        while (true)
        {
            _sequence = _notifier.ReadBegin();
            HmmStatus status = Fault(range, count, owner, allow, perPage);
            if (status == HmmStatus.Busy)
            {
                _counters.BusyRetries++;
                if (++busy > _options.RetryLimit)
                {
                    return HmmStatus.Busy;
                }

                continue;
            }

            if (status != HmmStatus.Ok)
            {
                return status;
            }

            if (_policy.PostChecks && owner != OwnerId.Null && !PassesPostCheck(count))
            {
                _counters.PostCheckMisses++;
                _counters.SecondCalls++;
                owner = OwnerId.Null;
                _systemOutcome = PageOutcome.SystemWholeRange;
                Tell(range, count, "the driver's check found an unfit or mixed page: the whole range is asked for again with a NULL owner");
                continue;
            }

            BetweenFaultAndMap?.Invoke();
            int failures = MapAll(range, count, out int unusable);
            if (_notifier.ReadRetry(_sequence))
            {
                UnmapScratch(range, count);
                _counters.BusyRetries++;
                if (++busy > _options.RetryLimit)
                {
                    return HmmStatus.Busy;
                }

                continue;
            }

            _counters.DmaMapFailures += (ulong)failures;
            if (failures != 0)
            {
                if (!allow || perPage || _policy.OnMapFailure == MapFailureAnswer.Fatal)
                {
                    UnmapScratch(range, count);
                    Tell(range, count, $"{failures} pages cannot be DMA mapped: EFAULT");
                    return HmmStatus.Fault;
                }

                _counters.SecondCalls++;
                if (_policy.OnMapFailure == MapFailureAnswer.WholeRange)
                {
                    UnmapScratch(range, count);
                    allow = false;
                    _systemOutcome = PageOutcome.SystemWholeRange;
                    Tell(range, count, $"{failures} pages cannot be DMA mapped: the whole range is asked for again without ALLOW_P2P");
                }
                else
                {
                    KeepMapped(range, count);
                    perPage = true;
                    Tell(range, count, $"{failures} pages cannot be DMA mapped: those are asked for again without ALLOW_P2P");
                }

                continue;
            }

            _counters.UnusablePfns += (ulong)unusable;
            Commit(range, count);
            return unusable != 0 ? HmmStatus.RemoteIo : HmmStatus.Ok;
        }
    }

    private HmmStatus Fault(VpnRange range, int count, OwnerId owner, bool allow, bool perPage)
    {
        // The table may change by an invalidation during the call, so the call works on a copy; sticky flags of what is mapped go in with it.
        Span<HmmPfn> words = _scratchWords.AsSpan(0, count);
        _table.CopySticky((int)(range.Start - Registration.Start), words, _layout.StickyMask);
        for (int i = 0; perPage && i < words.Length; i++)
        {
            words[i] = new HmmPfn(_denied[i] ? words[i].Raw : words[i].Raw | _layout.AllowP2pBit);
        }

        HmmRequestFlags flags = HmmRequestFlags.Fault | (Writes ? HmmRequestFlags.Write : 0);
        HmmRange request = new()
        {
            Range = range,
            Notifier = _notifier,
            NotifierSequence = _sequence,
            DefaultFlags = allow && !perPage ? flags | HmmRequestFlags.AllowP2p : flags,
            PfnFlagsMask = perPage ? HmmRequestFlags.AllowP2p : HmmRequestFlags.None,
            Owner = owner,
            FaultHabit = _options.FaultHabit,
            Policy = _policy,
            Client = Client,
        };
        HmmStatus status = HmmStatus.Ok;
        for (int from = 0; from < count && status == HmmStatus.Ok; from += Math.Min(count - from, _options.CallPageCount))
        {
            // One sequence for all calls: what an earlier one answered must still hold when the last one ends.
            int length = Math.Min(count - from, _options.CallPageCount);
            HmmRange call = request with { Range = new VpnRange(range.Start + (ulong)from, (ulong)length), NotifierSequence = _sequence };
            _counters.RangeFaultCalls++;
            CallObserver?.BeforeCall(call, _scratchWords.AsSpan(from, length));
            status = _space.RangeFault(call, _scratchWords.AsSpan(from, length));
            CallObserver?.AfterCall(call, _scratchWords.AsSpan(from, length), status);
            BetweenCalls?.Invoke();
        }

        Tell(range, count, Observer is null ? "" : $"hmm_range_fault (owner {owner.Value}{(request.DefaultFlags.HasFlag(HmmRequestFlags.AllowP2p) ? ", ALLOW_P2P" : perPage ? ", ALLOW_P2P page by page" : "")}): {status}");
        return status;
    }

    private bool PassesPostCheck(int count)
    {
        // The driver takes a range whose pages are all usable, and all private of one pagemap or all not private.
        bool first = true;
        bool byPage = false;
        DeviceId? kind = null;
        ClientReach reach = Client.Reach;
        FrameCursor cursor = new(_space.Memory);
        ReadOnlySpan<HmmPfn> words = _scratchWords.AsSpan(0, count);
        int i = 0;
        while (i < words.Length)
        {
            if (!_layout.IsValid(words[i]))
            {
                i++;
                continue;
            }

            Pfn pfn = _layout.PfnOf(words[i]);
            DeviceId? here = cursor.PrivateDeviceOf(pfn);
            if ((!first && here != kind) || (here is not null && (first || byPage) && !IsFit(reach.Of(here.Value), pfn, out byPage)))
            {
                return false;
            }

            // What holds for this page holds for the rest of its run, unless a window shows only some.
            first = false;
            kind = here;
            i = byPage ? i + 1 : cursor.EndOfDevice(_layout, words, i);
        }

        return true;
    }

    private bool IsFit(in ProviderReach reach, Pfn pfn, out bool byPage)
    {
        byPage = reach.Window is { OffersAll: false };
        return Use(reach, pfn) != PageOutcome.Unusable;
    }

    private void Commit(VpnRange range, int count)
    {
        int first = (int)(range.Start - Registration.Start);
        _table.Write(first, _scratchWords.AsSpan(0, count), _scratchOutcomes.AsSpan(0, count));
        _exported?.Keep(first, _scratchAddresses.AsSpan(0, count));
    }

    /// <summary>Enters the pages that mapped, so that their per-page flag and mapping survive, and notes those that did not.</summary>
    private void KeepMapped(VpnRange range, int count)
    {
        int first = (int)(range.Start - Registration.Start);
        for (int i = 0; i < count;)
        {
            // A run of pages that failed, or of pages that did not.
            ReadOnlySpan<byte> rest = MemoryMarshal.Cast<PageOutcome, byte>(_scratchOutcomes.AsSpan(i, count - i));
            bool isFailed = rest[0] == (byte)PageOutcome.Failed;
            int run = isFailed ? rest.IndexOfAnyExcept((byte)PageOutcome.Failed) : rest.IndexOf((byte)PageOutcome.Failed);
            run = run < 0 ? rest.Length : run;
            if (isFailed)
            {
                _denied.AsSpan(i, run).Fill(true);
            }
            else
            {
                _table.Write(first + i, _scratchWords.AsSpan(i, run), _scratchOutcomes.AsSpan(i, run));
            }

            i += run;
        }
    }

    private void UnmapScratch(VpnRange range, int count)
    {
        int first = (int)(range.Start - Registration.Start);
        _exported?.Unmap(first, _scratchWords.AsSpan(0, count), _scratchOutcomes.AsSpan(0, count), _scratchAddresses.AsSpan(0, count));
        _map.Unmap(first, _scratchWords.AsSpan(0, count));
        _table.Clear(first, count);
    }

    private void Fail(VpnRange range, int count)
    {
        int first = (int)(range.Start - Registration.Start);
        Drop(first, count);
        _table.Fill(first, count, PageOutcome.Failed);
    }

    private void Drop(int first, int count)
    {
        int held = _table.CountHeld(first, count);
        if (held == 0)
        {
            return;
        }

        _exported?.Unmap(_table, first, count);
        _table.Unmap(_map, first, count);
        _table.Clear(first, count);
        _counters.TlbInvalidations++;
        _counters.PagesUnmapped += (ulong)held;
    }

    private void Tell(VpnRange range, int count, string step) => Observer?.Invoke(range, step, _scratchWords.AsSpan(0, count));

    private void Grow(int count)
    {
        if (_scratchWords.Length < count)
        {
            _scratchWords = new HmmPfn[count];
            _scratchAddresses = new DmaAddress[count];
            _scratchOutcomes = new PageOutcome[count];
            _denied = new bool[count];
        }
    }
}
