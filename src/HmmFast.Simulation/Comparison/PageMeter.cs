using HmmFast.Drivers.Fabric;
using HmmFast.Drivers.Importing;
using HmmFast.Drivers.Moving;
using HmmFast.Policies;

namespace HmmFast.Simulation.Comparison;

/// <summary>Compares where pages lay before a client faulted them with what it got, and counts the checks that were due.</summary>
internal sealed class PageMeter
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
            _before = new HmmPfn[part.PageCount];
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
                first.Value,
                count,
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
        HmmPfnLayout layout = _system.Options.Layout;
        ulong privateBase = _providers.Length == 0 ? ulong.MaxValue : _providers.Min(provider => provider.First);
        int row = client * (_fabric.Count + 1);
        int i = 0;
        while (i < outcomes.Length)
        {
            // A run of pages that lay on one device (or in system memory) and ended alike.
            PageOutcome outcome = outcomes[i];
            int which = ProviderOf(layout, _before[i], privateBase);
            int start = i;
            i++;
            while (i < outcomes.Length && outcomes[i] == outcome && IsAt(layout, _before[i], privateBase, which))
            {
                i++;
            }

            ulong pages = (ulong)(i - start);
            PairCounts pair = _pairs[row + 1 + (which < 0 ? -1 : _providers[which].Member)];
            pair.Add(outcome, pages);
            if (which >= 0 && outcome is (PageOutcome.System or PageOutcome.SystemWholeRange))
            {
                ulong usable = CountUsable(layout, which, start, i);
                pair.CollateralPages += usable;
                pair.CollateralByFaultPages += outcome == PageOutcome.System ? usable : 0;
            }
        }

        CountChecks(layout, privateBase, outcomes.Length, offset);
    }

    private static bool IsUsableOverPci(in ProviderReach pair, bool isOffered) => pair.P2pIsAllowed && isOffered;

    private bool IsUsable(ForeignPageAnswer answer, in ProviderReach pair, bool isOffered) => answer.Outcome switch
    {
        ForeignPageOutcome.Private => pair.IsOwnDevice || pair.LinkIsUp || (_policy.ExporterMaps && IsUsableOverPci(pair, isOffered)),
        ForeignPageOutcome.Alias => IsUsableOverPci(pair, isOffered),
        _ => false,
    };

    private int ProviderOf(HmmPfnLayout layout, HmmPfn word, ulong privateBase)
    {
        ulong pfn = layout.PfnOf(word).Value;
        if (!layout.IsValid(word) || pfn < privateBase)
        {
            return -1;
        }

        for (int i = 0; i < _providers.Length; i++)
        {
            if (pfn - _providers[i].First < _providers[i].Count)
            {
                return i;
            }
        }

        return -1;
    }

    private bool IsAt(HmmPfnLayout layout, HmmPfn word, ulong privateBase, int which)
    {
        ulong pfn = layout.PfnOf(word).Value;
        return which >= 0
            ? layout.IsValid(word) && pfn - _providers[which].First < _providers[which].Count
            : !layout.IsValid(word) || pfn < privateBase || ProviderOf(layout, word, privateBase) < 0;
    }

    private ulong CountUsable(HmmPfnLayout layout, int which, int start, int end)
    {
        Provider provider = _providers[which];
        if (provider.IsUsableWith == provider.IsUsableWithout || provider.Window is null || provider.Window.OffersAll)
        {
            bool isUsable = provider.Window is { OffersAll: true } ? provider.IsUsableWith : provider.IsUsableWithout;
            return isUsable ? (ulong)(end - start) : 0;
        }

        ulong usable = 0;
        for (int i = start; i < end; i++)
        {
            bool isOffered = provider.Window.TryGetAlias(layout.PfnOf(_before[i]), out _);
            usable += isOffered ? (provider.IsUsableWith ? 1UL : 0) : (provider.IsUsableWithout ? 1UL : 0);
        }

        return usable;
    }

    /// <summary>Checks are due for pages that are private when they are asked for; a run ends where the pagemap changes, and where a request does.</summary>
    private void CountChecks(HmmPfnLayout layout, ulong privateBase, int count, int offset)
    {
        int i = 0;
        while (i < count)
        {
            int which = ProviderOf(layout, _before[i], privateBase);
            int requestEnd = Math.Min(count, i + _chunkPageCount - ((offset + i) % _chunkPageCount));
            int start = i;
            i++;
            while (i < requestEnd && IsAt(layout, _before[i], privateBase, which))
            {
                i++;
            }

            if (which < 0)
            {
                continue;
            }

            Provider provider = _providers[which];
            bool isOffered = provider.Window is { } window && (window.OffersAll || window.TryGetAlias(layout.PfnOf(_before[start]), out _));
            PolicyChecks checks = isOffered ? provider.ChecksWith : provider.ChecksWithout;
            for (int bit = 1; bit <= (int)PolicyChecks.PathSelection; bit <<= 1)
            {
                PolicyChecks check = (PolicyChecks)bit;
                if ((checks & check) != 0)
                {
                    (ulong pages, ulong runs) = _result.ChecksOf(check);
                    _result.Checks[check] = (pages + (ulong)(i - start), runs + 1);
                }
            }
        }
    }

    private sealed record Provider(
        int Member,
        ulong First,
        ulong Count,
        AliasWindow? Window,
        bool IsUsableWithout,
        bool IsUsableWith,
        PolicyChecks ChecksWithout,
        PolicyChecks ChecksWith);
}
