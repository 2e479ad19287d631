using System.Buffers;
using HmmFast.Drivers.Fabric;
using HmmFast.Drivers.Importing;
using HmmFast.Drivers.Moving;
using HmmFast.Policies;

namespace HmmFast.Simulation.Comparison;

/// <summary>Counts the checks of every hmm_range_fault call, repeated and second calls included.</summary>
/// <remarks>
/// A walk puts its policy's question to each device-private page that it comes to: all of them in a call that ends well, and those up to the page it stopped at in one that does
/// not (EBUSY, no memory). What a fault takes along behind that page was asked nobody about. A run is consecutive pages of one call that lie in one pagemap and get one answer.
/// </remarks>
internal sealed class CallMeter : ICallObserver, IDisposable
{
    private readonly IAddressSpace _space;
    private readonly DeviceFabric _fabric;
    private readonly IHmmPolicy _policy;
    private readonly HmmPfnLayout _layout;
    private readonly PairCounts[] _pairs;
    private readonly PolicyResult _result;
    private Provider[] _providers = [];
    private WordBand _anyPrivate;
    private HmmPfn[] _before = [];
    private ulong[] _input = [];
    private int _client;
    private ulong _outOfMemoryCalls;
    private ulong _missingFrames;

    public CallMeter(IAddressSpace space, DeviceFabric fabric, IHmmPolicy policy, PairCounts[] pairs, PolicyResult result)
    {
        _space = space;
        _fabric = fabric;
        _policy = policy;
        _layout = space.Memory.Options.Layout;
        _pairs = pairs;
        _result = result;
    }

    /// <summary>A client is about to access memory; connectivity stays as it is until it is done.</summary>
    public void Begin(int client)
    {
        _client = client;
        ClientReach reach = _fabric.ClientOf(client).Reach;
        List<Provider> providers = [];
        ulong lowest = _layout.PfnMask + 1;
        for (int member = 0; member < _fabric.Count; member++)
        {
            if (_fabric.DeviceOf(member) is { } device && _space.Memory.KindOf(device) == DeviceMemoryKind.Private)
            {
                (Pfn first, ulong count) = _space.Memory.DeviceFrames(device);
                lowest = Math.Min(lowest, first.Value);
                providers.Add(new Provider(device, WordBand.OfFrames(_layout, first.Value, count), reach.Of(device), _pairs[(client * (_fabric.Count + 1)) + 1 + member]));
            }
        }

        _providers = [.. providers];
        _anyPrivate = WordBand.OfFrames(_layout, lowest, _layout.PfnMask + 1 - lowest);
    }

    /// <summary>Requests since the last time that ended for want of system memory, and the frames that they lacked.</summary>
    public (ulong Requests, ulong MissingFrames) TakeShortfall()
    {
        (ulong Requests, ulong MissingFrames) shortfall = (_outOfMemoryCalls, _missingFrames);
        _outOfMemoryCalls = 0;
        _missingFrames = 0;
        return shortfall;
    }

    /// <inheritdoc/>
    public void BeforeCall(in HmmRange call, ReadOnlySpan<HmmPfn> words)
    {
        if (_before.Length < words.Length)
        {
            Dispose();
            _before = ArrayPool<HmmPfn>.Shared.Rent(words.Length);
            _input = ArrayPool<ulong>.Shared.Rent(words.Length);
        }

        DevicePages.Snapshot(_space, call.Range, _before.AsSpan(0, words.Length));
        if (call.PfnFlagsMask != HmmRequestFlags.None)
        {
            System.Runtime.InteropServices.MemoryMarshal.Cast<HmmPfn, ulong>(words).CopyTo(_input);
        }
    }

    /// <inheritdoc/>
    public void AfterCall(in HmmRange call, ReadOnlySpan<HmmPfn> words, HmmStatus status)
    {
        ReadOnlySpan<HmmPfn> before = _before.AsSpan(0, words.Length);
        int visited = status == HmmStatus.Ok ? words.Length : Math.Min(words.Length, Answered(words) + 1);
        if (status == HmmStatus.OutOfMemory)
        {
            _outOfMemoryCalls++;
            _missingFrames += CountMissingFrames(call);
        }

        foreach (Provider provider in _providers)
        {
            provider.Met = false;
        }

        for (int i = _anyPrivate.StartOfRun(before[..visited], 0); i < visited;)
        {
            if (ProviderOf(before[i]) is not { } provider)
            {
                i = _anyPrivate.StartOfRun(before[..visited], i + 1);
                continue;
            }

            int end = provider.Frames.EndOfRun(before[..visited], i);
            provider.Met = true;
            CountRuns(provider, call, before, i, end);
            if (status == HmmStatus.Busy && end == visited)
            {
                provider.Pair.BusyCalls++;
            }

            i = _anyPrivate.StartOfRun(before[..visited], end);
        }

        foreach (Provider provider in _providers)
        {
            provider.Pair.Calls += provider.Met ? 1UL : 0;
        }
    }

    public void Dispose()
    {
        if (_before.Length != 0)
        {
            ArrayPool<HmmPfn>.Shared.Return(_before);
            ArrayPool<ulong>.Shared.Return(_input);
            _before = [];
            _input = [];
        }
    }

    // A call that stopped has answered the words before the page that stopped it.
    private int Answered(ReadOnlySpan<HmmPfn> words)
    {
        int i = 0;
        while (i < words.Length && (words[i].Raw & (_layout.ValidBit | _layout.ErrorBit)) != 0)
        {
            i++;
        }

        return i;
    }

    private Provider? ProviderOf(HmmPfn word)
    {
        foreach (Provider provider in _providers)
        {
            if (provider.Frames.Contains(word))
            {
                return provider;
            }
        }

        return null;
    }

    private void CountRuns(Provider provider, in HmmRange call, ReadOnlySpan<HmmPfn> before, int from, int to)
    {
        bool isUniform = provider.Reach.Window is null or { OffersAll: true } && call.PfnFlagsMask == HmmRequestFlags.None && (call.DefaultFlags & HmmRequestFlags.Write) == 0;
        while (from < to)
        {
            ForeignPageQuestion question = Question(provider, call, before[from], from);
            ForeignPageAnswer answer = _policy.Decide(question);
            int end = isUniform ? to : from + 1;
            while (end < to && (Question(provider, call, before[end], end) is var next && (next == question || _policy.Decide(next) == answer)))
            {
                end++;
            }

            ulong pages = (ulong)(end - from);
            provider.Pair.MapFailures += answer.Outcome == ForeignPageOutcome.Alias && !provider.Reach.P2pIsAllowed ? pages : 0;
            Count(provider.Pair, answer.Checks, pages);
            from = end;
        }
    }

    private ForeignPageQuestion Question(Provider provider, in HmmRange call, HmmPfn word, int index) => new()
    {
        Provider = provider.Device,
        Client = call.Client,
        ProviderOwner = _space.Memory.OwnerOf(provider.Device),
        RangeOwner = call.Owner,
        Reach = provider.Reach,
        AliasOffered = provider.Reach.Window is { } window && (window.OffersAll || window.TryGetAlias(_layout.PfnOf(word), out _)),
        AllowP2p = (call.DefaultFlags & HmmRequestFlags.AllowP2p) != 0
            || ((call.PfnFlagsMask & HmmRequestFlags.AllowP2p) != 0 && (_input[index] & _layout.AllowP2pBit) != 0),
        WriteAsked = (call.DefaultFlags & HmmRequestFlags.Write) != 0,
        EntryIsWritable = _layout.IsWritable(word),
    };

    private void Count(PairCounts pair, PolicyChecks checks, ulong pageCount)
    {
        for (int bit = 1; bit <= (int)PolicyChecks.PathSelection; bit <<= 1)
        {
            PolicyChecks check = (PolicyChecks)bit;
            if ((checks & check) != 0)
            {
                (ulong pages, ulong runs) = _result.ChecksOf(check);
                _result.Checks[check] = (pages + pageCount, runs + 1);
                pair.ChecksPerPage += pageCount;
                pair.ChecksPerRun++;
            }
        }
    }

    /// <summary>Pages that still need a frame of system memory: nothing is there, or a private page that the policy does not hand out.</summary>
    private ulong CountMissingFrames(in HmmRange call)
    {
        Span<HmmPfn> now = new HmmPfn[call.Range.PageCount];
        DevicePages.Snapshot(_space, call.Range, now);
        ulong missing = 0;
        for (int i = 0; i < now.Length; i++)
        {
            bool isNeeded = !_layout.IsValid(now[i])
                || (ProviderOf(now[i]) is { } provider && _policy.Decide(Question(provider, call, now[i], i)).Outcome == ForeignPageOutcome.Fall);
            missing += isNeeded ? 1UL : 0;
        }

        return missing;
    }

    private sealed class Provider(DeviceId device, WordBand frames, ProviderReach reach, PairCounts pair)
    {
        public DeviceId Device { get; } = device;

        public WordBand Frames { get; } = frames;

        public ProviderReach Reach { get; } = reach;

        public PairCounts Pair { get; } = pair;

        /// <summary>A call came to a page of it.</summary>
        public bool Met { get; set; }
    }
}
