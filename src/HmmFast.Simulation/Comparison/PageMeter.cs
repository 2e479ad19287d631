using System.Buffers;
using System.Runtime.InteropServices;
using HmmFast.Drivers.Fabric;
using HmmFast.Drivers.Importing;
using HmmFast.Drivers.Moving;
using HmmFast.Policies;

namespace HmmFast.Simulation.Comparison;

/// <summary>Compares where pages lay before a client faulted them with what it got, and counts the checks that were due.</summary>
internal sealed class PageMeter : IDisposable
{
    private readonly IMemorySystem _system;
    private readonly DeviceFabric _fabric;
    private readonly IHmmPolicy _policy;
    private readonly PairCounts[] _pairs;
    private readonly PolicyResult _result;
    private readonly int _chunkPageCount;
    private HmmPfn[] _before = [];
    private Provider[] _providers = [];

    public PageMeter(IMemorySystem system, DeviceFabric fabric, IHmmPolicy policy, PairCounts[] pairs, PolicyResult result, int chunkPageCount)
    {
        _system = system;
        _fabric = fabric;
        _policy = policy;
        _pairs = pairs;
        _result = result;
        _chunkPageCount = chunkPageCount;
    }

    /// <summary>Notes where the pages lie, and what the policy says of each provider's pages for this client.</summary>
    public void Before(IAddressSpace space, VpnRange part, int client)
    {
        if (_before.Length < (int)part.PageCount)
        {
            Dispose();
            _before = ArrayPool<HmmPfn>.Shared.Rent((int)part.PageCount);
        }

        DevicePages.Snapshot(space, part, _before.AsSpan(0, (int)part.PageCount));
        ClientReach reach = _fabric.ClientOf(client).Reach;
        List<Provider> providers = [];
        for (int member = 0; member < _fabric.Count; member++)
        {
            if (_fabric.DeviceOf(member) is not { } device || _system.KindOf(device) != DeviceMemoryKind.Private)
            {
                continue;
            }

            (Pfn first, ulong count) = _system.DeviceFrames(device);
            ProviderReach pair = reach.Of(device);
            ForeignPageQuestion question = new()
            {
                Provider = device,
                Client = _fabric.ClientOf(client),
                ProviderOwner = _system.OwnerOf(device),
                RangeOwner = _fabric.OwnerOf(client),
                Reach = pair,
                AllowP2p = _policy.RequestsP2p,
            };
            ForeignPageAnswer without = _policy.Decide(question with { AliasOffered = false });
            ForeignPageAnswer with = _policy.Decide(question with { AliasOffered = true });
            providers.Add(new Provider(
                member,
                WordBand.OfFrames(_system.Options.Layout, first.Value, count),
                pair.Window,
                IsUsable(without, pair, isOffered: false),
                IsUsable(with, pair, isOffered: true),
                without.Checks,
                with.Checks));
        }

        _providers = [.. providers];
    }

    /// <summary>Counts what the client got.</summary>
    public void After(PageImporter importer, VpnRange part, int client)
    {
        int offset = (int)(part.Start - importer.Registration.Start);
        ReadOnlySpan<PageOutcome> outcomes = importer.Outcomes.Slice(offset, (int)part.PageCount);
        ReadOnlySpan<HmmPfn> before = _before.AsSpan(0, outcomes.Length);
        WordBand anyPrivate = AnyPrivate();
        int row = client * (_fabric.Count + 1);
        int i = 0;
        while (i < before.Length)
        {
            // A run of pages that lay on one device (or in system memory).
            int which = ProviderOf(before[i]);
            int end = which >= 0 ? _providers[which].Frames.EndOfRun(before, i) : EndOfSystem(before, i, anyPrivate);
            CountOutcomes(_pairs[row + 1 + (which < 0 ? -1 : _providers[which].Member)], which, outcomes, i, end);
            if (which >= 0)
            {
                CountChecks(_providers[which], i, end, offset);
            }

            i = end;
        }
    }

    /// <summary>Gives its memory back.</summary>
    public void Dispose()
    {
        if (_before.Length != 0)
        {
            ArrayPool<HmmPfn>.Shared.Return(_before);
            _before = [];
        }
    }

    private static bool IsUsableOverPci(in ProviderReach pair, bool isOffered) => pair.P2pIsAllowed && isOffered;

    private bool IsUsable(ForeignPageAnswer answer, in ProviderReach pair, bool isOffered) => answer.Outcome switch
    {
        ForeignPageOutcome.Private => pair.IsOwnDevice || pair.LinkIsUp || (_policy.ExporterMaps && IsUsableOverPci(pair, isOffered)),
        ForeignPageOutcome.Alias => IsUsableOverPci(pair, isOffered),
        _ => false,
    };

    private int ProviderOf(HmmPfn word)
    {
        for (int i = 0; i < _providers.Length; i++)
        {
            if (_providers[i].Frames.Contains(word))
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>The valid words from the lowest private frame on.</summary>
    private WordBand AnyPrivate()
    {
        HmmPfnLayout layout = _system.Options.Layout;
        ulong lowest = _providers.Length == 0 ? layout.PfnMask + 1 : _providers.Min(provider => provider.Frames.First & layout.PfnMask);
        return WordBand.OfFrames(layout, lowest, layout.PfnMask + 1 - lowest);
    }

    private int EndOfSystem(ReadOnlySpan<HmmPfn> before, int from, WordBand anyPrivate)
    {
        int end = anyPrivate.StartOfRun(before, from);
        while (end < before.Length && ProviderOf(before[end]) < 0)
        {
            end = anyPrivate.StartOfRun(before, end + 1);
        }

        return end;
    }

    /// <summary>Pages of one provider (or of none), by how they ended.</summary>
    private void CountOutcomes(PairCounts pair, int which, ReadOnlySpan<PageOutcome> outcomes, int from, int to)
    {
        while (from < to)
        {
            PageOutcome outcome = outcomes[from];
            int run = MemoryMarshal.Cast<PageOutcome, byte>(outcomes[from..to]).IndexOfAnyExcept((byte)outcome);
            int end = run < 0 ? to : from + run;
            pair.Add(outcome, (ulong)(end - from));
            if (which >= 0 && outcome is (PageOutcome.System or PageOutcome.SystemWholeRange))
            {
                ulong usable = CountUsable(_providers[which], from, end);
                pair.CollateralPages += usable;
                pair.CollateralByFaultPages += outcome == PageOutcome.System ? usable : 0;
            }

            from = end;
        }
    }

    private ulong CountUsable(Provider provider, int start, int end)
    {
        if (provider.IsUsableWith == provider.IsUsableWithout || provider.Window is null || provider.Window.OffersAll)
        {
            bool isUsable = provider.Window is { OffersAll: true } ? provider.IsUsableWith : provider.IsUsableWithout;
            return isUsable ? (ulong)(end - start) : 0;
        }

        ulong usable = 0;
        for (int i = start; i < end; i++)
        {
            usable += IsOffered(provider.Window, i) ? (provider.IsUsableWith ? 1UL : 0) : (provider.IsUsableWithout ? 1UL : 0);
        }

        return usable;
    }

    private bool IsOffered(AliasWindow window, int page) => window.TryGetAlias(_system.Options.Layout.PfnOf(_before[page]), out _);

    /// <summary>Checks are due for pages that are private when they are asked for; a run ends where the pagemap changes, and where a request does.</summary>
    private void CountChecks(Provider provider, int from, int to, int offset)
    {
        if (provider.Window is not { OffersAll: false } window)
        {
            PolicyChecks checks = provider.Window is null ? provider.ChecksWithout : provider.ChecksWith;
            int requests = ((offset + to - 1) / _chunkPageCount) - ((offset + from) / _chunkPageCount) + 1;
            Count(checks, (ulong)(to - from), (ulong)requests);
            return;
        }

        // Whether a request's pages are offered goes by its first one.
        while (from < to)
        {
            int end = Math.Min(to, from + _chunkPageCount - ((offset + from) % _chunkPageCount));
            Count(IsOffered(window, from) ? provider.ChecksWith : provider.ChecksWithout, (ulong)(end - from), 1);
            from = end;
        }
    }

    private void Count(PolicyChecks checks, ulong pageCount, ulong runCount)
    {
        for (int bit = 1; bit <= (int)PolicyChecks.PathSelection; bit <<= 1)
        {
            PolicyChecks check = (PolicyChecks)bit;
            if ((checks & check) != 0)
            {
                (ulong pages, ulong runs) = _result.ChecksOf(check);
                _result.Checks[check] = (pages + pageCount, runs + runCount);
            }
        }
    }

    private sealed record Provider(
        int Member,
        WordBand Frames,
        AliasWindow? Window,
        bool IsUsableWithout,
        bool IsUsableWith,
        PolicyChecks ChecksWithout,
        PolicyChecks ChecksWith);
}
