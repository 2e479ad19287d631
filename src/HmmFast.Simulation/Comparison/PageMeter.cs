using System.Buffers;
using System.Runtime.InteropServices;
using HmmFast.Drivers.Fabric;
using HmmFast.Drivers.Importing;
using HmmFast.Drivers.Moving;
using HmmFast.Policies;

namespace HmmFast.Simulation.Comparison;

/// <summary>Compares where pages lay before a client faulted them with what it got.</summary>
internal sealed class PageMeter : IDisposable
{
    private readonly IMemorySystem _system;
    private readonly DeviceFabric _fabric;
    private readonly IHmmPolicy _policy;
    private readonly PairCounts[] _pairs;
    private HmmPfn[] _before = [];
    private Provider[] _providers = [];

    public PageMeter(IMemorySystem system, DeviceFabric fabric, IHmmPolicy policy, PairCounts[] pairs)
    {
        _system = system;
        _fabric = fabric;
        _policy = policy;
        _pairs = pairs;
    }

    /// <summary>Notes where the pages lie, and what the policy says of each provider's pages for this client.</summary>
    /// <param name="space">The address space.</param>
    /// <param name="part">The pages that are about to be accessed.</param>
    /// <param name="client">By whom.</param>
    /// <param name="owner">The owner it asks with.</param>
    /// <param name="writes">Whether it asks for write access.</param>
    public void Before(IAddressSpace space, VpnRange part, int client, OwnerId owner, bool writes)
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
            if (_fabric.DeviceOf(member) is not { } device)
            {
                continue;
            }

            (Pfn first, ulong count) = _system.DeviceFrames(device);
            WordBand frames = WordBand.OfFrames(_system.Options.Layout, first.Value, count);
            if (_system.KindOf(device) != DeviceMemoryKind.Private)
            {
                providers.Add(new Provider(member, frames, IsCoherent: true, null, false, false));
                continue;
            }

            ProviderReach pair = reach.Of(device);
            ForeignPageQuestion question = new()
            {
                Provider = device,
                Client = _fabric.ClientOf(client),
                ProviderOwner = _system.OwnerOf(device),
                RangeOwner = owner,
                Reach = pair,
                AllowP2p = _policy.RequestsP2p,
                WriteAsked = writes,
                EntryIsWritable = true,
            };
            ForeignPageAnswer without = _policy.Decide(question with { AliasOffered = false });
            ForeignPageAnswer with = _policy.Decide(question with { AliasOffered = true });
            providers.Add(new Provider(
                member,
                frames,
                IsCoherent: false,
                pair.Window,
                IsUsable(without, pair, isOffered: false),
                IsUsable(with, pair, isOffered: true)));
        }

        _providers = [.. providers];
    }

    /// <summary>Counts what the client got.</summary>
    public void After(PageImporter importer, VpnRange part, int client)
    {
        int offset = (int)(part.Start - importer.Registration.Start);
        ReadOnlySpan<PageOutcome> outcomes = importer.Outcomes.Slice(offset, (int)part.PageCount);
        ReadOnlySpan<HmmPfn> before = _before.AsSpan(0, outcomes.Length);
        WordBand anyDevice = AnyDevice();
        int row = client * (_fabric.Count + 1);
        int i = 0;
        while (i < before.Length)
        {
            // A run of pages that lay on one device (or in system memory).
            int which = ProviderOf(before[i]);
            int end = which >= 0 ? _providers[which].Frames.EndOfRun(before, i) : EndOfSystem(before, i, anyDevice);
            CountOutcomes(_pairs[row + 1 + (which < 0 ? -1 : _providers[which].Member)], which, outcomes, i, end);
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

    /// <summary>The valid words from the lowest frame of a device on.</summary>
    private WordBand AnyDevice()
    {
        HmmPfnLayout layout = _system.Options.Layout;
        ulong lowest = _providers.Length == 0 ? layout.PfnMask + 1 : _providers.Min(provider => provider.Frames.First & layout.PfnMask);
        return WordBand.OfFrames(layout, lowest, layout.PfnMask + 1 - lowest);
    }

    private int EndOfSystem(ReadOnlySpan<HmmPfn> before, int from, WordBand anyDevice)
    {
        int end = anyDevice.StartOfRun(before, from);
        while (end < before.Length && ProviderOf(before[end]) < 0)
        {
            end = anyDevice.StartOfRun(before, end + 1);
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
            bool isSystem = outcome is PageOutcome.System or PageOutcome.SystemWholeRange;
            if (which >= 0 && isSystem && _providers[which].IsCoherent)
            {
                pair.CoherentPages += (ulong)(end - from);
            }
            else if (which >= 0 && isSystem)
            {
                pair.AddMigrated((ulong)(end - from));
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

    private sealed record Provider(
        int Member,
        WordBand Frames,
        bool IsCoherent,
        AliasWindow? Window,
        bool IsUsableWithout,
        bool IsUsableWith);
}
