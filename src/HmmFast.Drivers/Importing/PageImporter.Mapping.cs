using System.Runtime.InteropServices;
using HmmFast.Dma;
using HmmFast.Drivers.Moving;
using HmmFast.Policies;

namespace HmmFast.Drivers.Importing;

/// <content>What becomes of the pages that a range fault gave: runs of them are mapped, used over a link, or cannot be used.</content>
public sealed partial class PageImporter
{
    /// <summary>Maps what the fault gave: private pages by link or exporter, everything else by the DMA map.</summary>
    private int MapAll(VpnRange range, int count, out int unusable)
    {
        int firstEntry = (int)(range.Start - Registration.Start);
        ClientReach reach = Client.Reach;
        FrameCursor cursor = new(_space.Memory);
        Span<HmmPfn> words = _scratchWords.AsSpan(0, count);
        int failures = 0;
        unusable = 0;
        _exported?.Unmap(_table, firstEntry, count);
        int i = 0;
        while (i < count)
        {
            int start = i;
            if (_layout.IsValid(words[i]) && cursor.PrivateDeviceOf(_layout.PfnOf(words[i])) is { } device)
            {
                i = UsePrivate(range, words, i, device, reach, ref unusable);
                continue;
            }

            i = cursor.EndOfMappable(_layout, words, i);
            Span<DmaAddress> addresses = _scratchAddresses.AsSpan(start, i - start);
            HmmStatus status = _map.Map(firstEntry + start, words[start..i], addresses);
            failures += Classify(start, i, status == HmmStatus.Ok);
        }

        return failures;
    }

    /// <summary>Takes a run of private pages of one device: over a link all of them, else as far as their exporter maps them.</summary>
    private int UsePrivate(VpnRange range, Span<HmmPfn> words, int start, DeviceId device, ClientReach reach, ref int unusable)
    {
        (Pfn first, ulong frames) = _space.Memory.DeviceFrames(device);
        int end = WordBand.OfFrames(_layout, first.Value, frames).EndOfRun(words, start);
        ProviderReach pair = reach.Of(device);
        Span<PageOutcome> outcomes = _scratchOutcomes.AsSpan(start, end - start);
        if (_exported is not null && !pair.IsOwnDevice && !pair.LinkIsUp)
        {
            int firstEntry = (int)(range.Start - Registration.Start) + start;
            int mapped = _exported.Map(firstEntry, device, reach, words[start..end], outcomes, _scratchAddresses.AsSpan(start, end - start));
            _counters.ExporterMaps += (ulong)mapped;
            unusable += end - start - mapped;
        }
        else
        {
            PageOutcome outcome = Use(pair, _layout.PfnOf(words[start]));
            outcomes.Fill(outcome);
            unusable += outcome == PageOutcome.Unusable ? end - start : 0;
        }

        var plain = new WordBand(_layout.StickyMask, 0, 1);
        for (int i = plain.EndOfRun(words[..end], start); i < end; i = plain.EndOfRun(words[..end], i + 1))
        {
            // It was an alias before, and its mapping's flags stuck to it: a private pfn has none.
            _map.Unmap((int)(range.Start - Registration.Start) + i, words.Slice(i, 1));
        }

        return end;
    }

    private int Classify(int start, int end, bool allMapped)
    {
        int failures = 0;
        ulong bus = _layout.P2pDmaBusBit;
        ulong bridge = _layout.P2pDmaBit;
        ulong states = _layout.ValidBit | _layout.ErrorBit | bus | bridge;
        ReadOnlySpan<HmmPfn> words = _scratchWords.AsSpan(0, end);
        ReadOnlySpan<ulong> addresses = MemoryMarshal.Cast<DmaAddress, ulong>(_scratchAddresses.AsSpan(0, end));
        for (int i = start; i < end;)
        {
            // A run of pages with one state that mapped, or did not.
            ulong word = words[i].Raw;
            int same = new WordBand(states, word & states, 1).EndOfRun(words, i);
            PageOutcome outcome = _systemOutcome;
            if ((word & _layout.ValidBit) == 0)
            {
                outcome = (word & _layout.ErrorBit) != 0 ? PageOutcome.Hole : PageOutcome.None;
            }
            else
            {
                bool isFailed = !allMapped && _scratchAddresses[i].IsError;
                if (!allMapped)
                {
                    ReadOnlySpan<ulong> run = addresses[i..same];
                    int other = isFailed ? run.IndexOfAnyExcept(DmaAddress.MappingError.Value) : run.IndexOf(DmaAddress.MappingError.Value);
                    same = other < 0 ? same : i + other;
                }

                outcome = (word & bus) != 0 ? PageOutcome.AliasBus : (word & bridge) != 0 ? PageOutcome.AliasHostBridge : outcome;
                outcome = isFailed ? PageOutcome.Failed : outcome;
                failures += isFailed ? same - i : 0;
            }

            _scratchOutcomes.AsSpan(i, same - i).Fill(outcome);
            i = same;
        }

        return failures;
    }

    /// <summary>What a private page can be used as, as far as the topology says.</summary>
    private PageOutcome Use(in ProviderReach reach, Pfn pfn)
    {
        if (reach.IsOwnDevice)
        {
            return PageOutcome.Local;
        }

        if (reach.LinkIsUp)
        {
            return PageOutcome.PrivateLink;
        }

        return _policy.ExporterMaps && reach.P2pIsAllowed && reach.Window is { } window && window.TryGetAlias(pfn, out _)
            ? PageOutcome.PrivateExporterMapped
            : PageOutcome.Unusable;
    }
}
