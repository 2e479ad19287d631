using HmmFast.Dma;
using HmmFast.Drivers.Importing;
using HmmFast.Policies;
using HmmFast.Topology;

namespace HmmFast.Properties.Policies;

/// <summary>What must hold of every importer's table between any two steps, whatever the policy.</summary>
public static class PolicyInvariants
{
    /// <summary>Throws unless the condition holds.</summary>
    public static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new CheckFailedException(message);
        }
    }

    /// <summary>Checks every page of every importer.</summary>
    public static void Check(PolicyWorld world)
    {
        var pages = new PageObservation[world.Shape.PageCount];
        world.Space.Observe(world.Shape.Pages, pages);
        Dictionary<Pfn, uint> entries = CountEntries(world, pages);
        for (int member = 0; member < world.Importers.Count; member++)
        {
            if (world.Importers[member] is not { } importer)
            {
                continue;
            }

            // What was mapped and not unmapped is what the table holds, for the DMA map and for the exporters'.
            int exported = importer.Outcomes.Count(PageOutcome.PrivateExporterMapped);
            int mapped = 0;
            for (int i = 0; i < pages.Length; i++)
            {
                mapped += (importer.Words[i].Raw & world.Shape.Options.Layout.DmaMappedBit) != 0 ? 1 : 0;
            }

            DmaMapCounters dma = importer.DmaCounters;
            DmaMapCounters byExporter = importer.ExporterDmaCounters;
            Require(dma.Mapped - dma.Unmapped == (ulong)mapped, $"{importer.Client.Name}, {world.Shape.Policy.Name}: {mapped} pages are DMA mapped after {dma.Mapped} maps and {dma.Unmapped} unmaps");
            Require(
                byExporter.Mapped - byExporter.Unmapped == (ulong)exported, $"{importer.Client.Name}, {world.Shape.Policy.Name}: exporters map {exported} pages after {byExporter.Mapped} maps and {byExporter.Unmapped} unmaps");
            for (int i = 0; i < pages.Length; i++)
            {
                Require(
                    importer.ExporterAddressOf(i).IsError == (importer.Outcomes[i] != PageOutcome.PrivateExporterMapped), $"{importer.Client.Name}, page {i}: {importer.Outcomes[i]} at {importer.ExporterAddressOf(i)}");
                CheckPage(world, importer, member, i, pages[i], entries);
            }
        }
    }

    /// <summary>What a policy says of the pfns it hands out: that all of them can be used, that no alias is refused by the DMA map, or neither.</summary>
    public static void CheckHandedOut(PolicyWorld world, PageImporter importer)
    {
        string policy = world.Shape.Policy.Name;
        bool allUsable = policy is "owner-and-live" or "multipath" || policy.StartsWith("dynamic", StringComparison.Ordinal);
        Require(!allUsable || importer.Counters.UnusablePfns == 0, $"{policy} handed out a pfn that cannot be used");

        // The distance knows the way, and not what an importer without an IOMMU can put on the bus.
        DmaDeviceOptions dma = world.Shape.Plan.Members[importer.Member].Dma;
        bool aliasesMap = policy is "core-distance" or "multipath" or "typed-output" && (dma.UsesIommu || dma.MaskBits == 64);
        Require(!aliasesMap || importer.Counters.DmaMapFailures == 0, $"{policy} handed out an alias that cannot be mapped");
    }

    /// <summary>Page table entries that hold each frame, the child's too.</summary>
    private static Dictionary<Pfn, uint> CountEntries(PolicyWorld world, PageObservation[] pages)
    {
        Dictionary<Pfn, uint> entries = [];
        var child = new PageObservation[world.Child is null ? 0 : pages.Length];
        world.Child?.Observe(world.Shape.Pages, child);
        foreach (PageObservation page in (PageObservation[])[.. pages, .. child])
        {
            if (page.Frame.IsFrame && page is { IsZeroPage: false, Kind: PageEntryKind.Present or PageEntryKind.DevicePrivate or PageEntryKind.DeviceExclusive })
            {
                entries[page.Frame] = entries.GetValueOrDefault(page.Frame) + 1;
            }
        }

        return entries;
    }

    private static void CheckPage(PolicyWorld world, PageImporter importer, int member, int index, in PageObservation page, Dictionary<Pfn, uint> entries)
    {
        HmmPfnLayout layout = world.Shape.Options.Layout;
        HmmPfn word = importer.Words[index];
        if (!layout.IsValid(word))
        {
            return;
        }

        string where = $"{importer.Client.Name}, page {index}, {world.Shape.Policy.Name}";
        Pfn pfn = layout.PfnOf(word);
        DeviceId? device = world.Memory.DeviceOf(pfn);
        DeviceMemoryKind? kind = device is { } known ? world.Memory.KindOf(known) : null;
        PageOutcome outcome = importer.Outcomes[index];

        // Private and alias pfns can be told apart: by their frames, and by their type bits where the policy types.
        bool isTyped = world.Shape.Policy.TypedOutput;
        Require(((word.Raw & layout.TypePrivateBit) != 0) == (isTyped && kind == DeviceMemoryKind.Private), $"{where}: the PRIVATE bit is wrong for {pfn}");
        Require(((word.Raw & layout.TypeP2pBit) != 0) == (isTyped && kind == DeviceMemoryKind.PciP2pdma), $"{where}: the P2P bit is wrong for {pfn}");

        // A private pfn never reaches the DMA API; everything else did.
        bool isMapped = (word.Raw & layout.DmaMappedBit) != 0;
        Require(isMapped == (kind != DeviceMemoryKind.Private), $"{where}: {pfn} is {(isMapped ? "" : "not ")}DMA mapped");
        if (kind is null or DeviceMemoryKind.Coherent)
        {
            Require(page.Kind == PageEntryKind.Present && page.Frame == pfn, $"{where}: the table holds {pfn}, the page is {page.Kind} {page.Frame}");
            Require(page.IsZeroPage || HasNoReference(world, pfn, entries), $"{where}: a reference is left on {pfn}: {world.Memory.ObserveFrame(pfn)}");
            return;
        }

        int provider = world.Fabric.MemberOf(pfn);
        if (outcome == PageOutcome.Unusable && provider >= 0)
        {
            // A device that could not be unplugged to the end keeps its pages and its owner: static owners still match, and the pfn is counted as unusable. Under a policy
            // that asks the topology, or P4 and P5 with their checks, an owner's match alone hands out what cannot be used.
            bool byOwner = world.Fabric.DeviceOf(provider) is { } matched && world.Memory.OwnerOf(matched) == world.Fabric.OwnerOf(member);
            Require(byOwner || world.Shape.Policy.ExporterMaps, $"{where}: {pfn} cannot be used, and no owner's match handed it out");
            return;
        }

        Require(provider >= 0 && world.Fabric.IsPlugged(provider), $"{where}: {pfn} belongs to nobody who is plugged in");
        DeviceId exporter = world.Fabric.DeviceOf(provider)!.Value;
        ProviderReach reach = importer.Client.Reach.Of(exporter);
        if (kind == DeviceMemoryKind.PciP2pdma)
        {
            // An alias dies before its private page does, and is only held where it can be used.
            Require(reach.Window is { } window && window.Contains(pfn), $"{where}: {pfn} is outside its exporter's window");
            Require(reach.Window!.TryGetDevicePage(pfn, out Pfn shown) && page.Kind == PageEntryKind.DevicePrivate && page.Frame == shown, $"{where}: the alias {pfn} outlived its private page");
            Require(reach.P2pIsAllowed && outcome is PageOutcome.AliasBus or PageOutcome.AliasHostBridge, $"{where}: the alias {pfn} cannot be reached");
            FrameObservation alias = world.Memory.ObserveFrame(pfn);
            Require(alias is { MapCount: 0, PinCount: 0 }, $"{where}: the alias {pfn} has references");
            return;
        }

        Require(page.Kind == PageEntryKind.DevicePrivate && page.Frame == pfn, $"{where}: the table holds the private {pfn}, the page is {page.Kind} {page.Frame}");
        Require(HasNoReference(world, pfn, entries), $"{where}: a reference is left on {pfn}: {world.Memory.ObserveFrame(pfn)}");
        Require(outcome != PageOutcome.PrivateLink || reach.LinkIsUp, $"{where}: {pfn} is used over a link that is down");
        if (outcome == PageOutcome.PrivateExporterMapped)
        {
            // What an exporter maps is in its window, at the address that its alias would have.
            DmaDeviceOptions dma = world.Shape.Plan.Members[member].Dma;
            Pfn shown = Pfn.None;
            Require(reach.P2pIsAllowed && reach.Window is { } open && open.TryGetAlias(pfn, out shown), $"{where}: {pfn} is mapped by its exporter, and not in its window");
            long offset = reach.MapType == P2PdmaMapType.BusAddr ? reach.Window!.BusOffsetBytes : dma.OffsetBytes;
            Require(
                (reach.MapType != P2PdmaMapType.BusAddr && dma.UsesIommu) || importer.ExporterAddressOf(index).Value == (shown.Value * 4096) + (ulong)offset,
                $"{where}: {pfn}, shown by {shown}, is mapped to {importer.ExporterAddressOf(index)}");
        }

        if (outcome != PageOutcome.Unusable)
        {
            // Whoever may no longer have it was told to let go before the change was complete.
            ForeignPageAnswer answer = world.Shape.Policy.Decide(new ForeignPageQuestion
            {
                Provider = exporter,
                Client = importer.Client,
                ProviderOwner = world.Memory.OwnerOf(exporter),
                RangeOwner = world.Fabric.OwnerOf(member),
                Reach = reach,
                AliasOffered = reach.Window is { } offered && offered.TryGetAlias(pfn, out _),
                AllowP2p = world.Shape.Policy.RequestsP2p,
            });
            Require(answer.Outcome != ForeignPageOutcome.Fall, $"{where}: {pfn} is still held after it was revoked");
        }
    }

    /// <summary>A frame is held by page table entries and by who pinned it, and by nobody else.</summary>
    private static bool HasNoReference(PolicyWorld world, Pfn pfn, Dictionary<Pfn, uint> entries)
    {
        FrameObservation frame = world.Memory.ObserveFrame(pfn);
        return frame.MapCount == entries.GetValueOrDefault(pfn) && frame.PinCount == world.PinsOf(pfn);
    }
}
