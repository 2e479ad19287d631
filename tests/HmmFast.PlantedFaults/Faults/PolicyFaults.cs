namespace HmmFast.PlantedFaults.Faults;

/// <summary>Mistakes in policies, importers, windows, the fabric and the DMA step; the first eight were seen in posted code.</summary>
public static class PolicyFaults
{
    private const string Walk = "src/HmmFast/Faulting/RangeWalk.cs";
    private const string Aliases = "src/HmmFast/Faulting/RangeWalk.Aliases.cs";
    private const string Table = "src/HmmFast/Faulting/DecisionTable.cs";
    private const string Importer = "src/HmmFast.Drivers/Importing/PageImporter.cs";
    private const string Mapping = "src/HmmFast.Drivers/Importing/PageImporter.Mapping.cs";
    private const string Window = "src/HmmFast.Vocabulary/Policies/AliasWindow.cs";
    private const string Segments = "src/HmmFast/Dma/DmaSegments.cs";
    private const string Map = "src/HmmFast/Dma/HmmDmaMap.cs";
    private const string Changes = "src/HmmFast.Drivers/Fabric/DeviceFabric.Changes.cs";
    private const string Policies = "src/HmmFast/Policies/";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<PlantedFault> All { get; } =
    [
        new("alias-result-wiped", "an alias pfn that was found is the answer", Aliases,
            "? alias.Value : pfn;", "? 0 : pfn;", "windows"),
        new("sticky-flags-overwritten", "sticky flags survive a re-fault", Walk,
            "_format = new WordFormat(range.IgnoresWords ? 0 : _layout.StickyMask,", "_format = new WordFormat(0,", "policies"),
        new("allow-p2p-inside-the-order-field", "no flag lies in the order field", "src/HmmFast.Vocabulary/Faulting/HmmPfnLayout.cs",
            "new(\"6.16+allow-p2p\", 53)\n    {\n        DmaMappedBit = 1UL << 60,\n        P2pDmaBit = 1UL << 59,\n        P2pDmaBusBit = 1UL << 58,\n        AllowP2pBit = 1UL << 52,",
            "new(\"6.16+allow-p2p\", 53)\n    {\n        DmaMappedBit = 1UL << 60,\n        P2pDmaBit = 1UL << 59,\n        P2pDmaBusBit = 1UL << 58,\n        AllowP2pBit = 1UL << 57,",
            "layout-bits-disjoint"),
        new("per-page-flag-not-kept", "pages that mapped keep their per-page flag", Importer,
            "_denied[i] ? words[i].Raw : words[i].Raw | _layout.AllowP2pBit", "words[i].Raw", "per-page-keeps-neighbours"),
        new("byte-address-for-a-pfn", "an exporter answers with a pfn", Window,
            "alias = slot < 0 ? Pfn.None : FirstAlias + (((ulong)slot * ChunkPageCount) + (offset % ChunkPageCount));",
            "alias = slot < 0 ? Pfn.None : new Pfn((FirstAlias.Value + ((ulong)slot * ChunkPageCount) + (offset % ChunkPageCount)) << 12);",
            "window-bounds"),
        new("bar-bound-off-by-one", "the chunk behind the window's end has no slot", Window,
            "mapAll && chunk < slots ? chunk : -1", "mapAll && chunk <= slots ? chunk : -1", "window-bounds"),
        new("private-mapped-as-system-memory", "a private pfn never reaches the DMA API", Segments,
            "runs.Add(new DmaSegment(first.Value, next, DmaSegmentKind.Private, index, 0));",
            "runs.Add(new DmaSegment(first.Value, next, DmaSegmentKind.Normal, index, 0));", "dma"),
        new("sequence-read-once-a-chunk", "one sequence for the whole request", Importer,
            "NotifierSequence = _sequence };", "NotifierSequence = _sequence = _notifier.ReadBegin() };", "one-sequence-for-all-calls"),

        new("sequence-not-checked-after-mapping", "what became stale before it was mapped is not kept", Importer,
            "if (_notifier.ReadRetry(_sequence))", "if (false && _notifier.ReadRetry(_sequence))", "stale-sequence-noticed"),
        new("whole-range-for-one-page", "the per-page answer asks again for that page only", Importer,
            "if (_policy.OnMapFailure == MapFailureAnswer.WholeRange)", "if (_policy.OnMapFailure != MapFailureAnswer.Fatal)", "per-page-keeps-neighbours"),
        new("mixed-range-passes", "a mixed range does not pass the driver's check", Importer,
            "(!first && here != kind) ||", "", "post-check-mixed"),
        new("private-given-to-the-dma-map", "an importer keeps private pfns from the DMA map", "src/HmmFast.Drivers/Importing/FrameCursor.cs",
            "DeviceMemoryKind.Private ? device : null", "DeviceMemoryKind.Coherent ? device : null", "post-check-mixed"),
        new("alias-flags-stick-to-a-private-pfn", "a private pfn carries no mapping's flags", Mapping,
            "EndOfRun(words[..end], start); i < end;", "EndOfRun(words[..end], start); false;", "private-pfn-has-no-mapping"),
        new("link-not-looked-at", "a private pfn over a link that is down cannot be used", Mapping,
            "if (reach.LinkIsUp)", "if (reach.LinkIsUp || reach.LinkPath.Exists || !reach.IsPermitted)", "policies"),

        new("alias-without-a-path", "core distance hands out no alias that cannot be reached", Policies + "CoreDistancePolicy.cs",
            "question.Reach.P2pIsAllowed ? ForeignPageAnswer.Alias(Both) : ForeignPageAnswer.Fall(Both)", "ForeignPageAnswer.Alias(Both)", "policies"),
        new("live-check-forgotten", "owner-and-live asks for the link", Policies + "OwnerAndLivePolicy.cs",
            "return question.LinkIsUp\n", "return question.OwnerMatches\n", "policies"),
        new("worse-path-taken", "multipath takes the better path", Policies + "MultipathPolicy.cs",
            "question.Reach.LinkPath >= question.Reach.P2pPath", "question.Reach.LinkPath <= question.Reach.P2pPath", "policies"),
        new("allow-p2p-not-asked", "no alias without ALLOW_P2P", Policies + "AliasOnRequestPolicy.cs",
            "if (!question.AllowP2p)", "if (!question.AllowP2p && !question.AliasOffered)", "policies"),
        new("exporter-lets-everybody-in", "access control counts", Policies + "DevmemAllowedPolicy.cs",
            "question.Reach.IsPermitted && (", "(", "policies"),
        new("null-owner-matches-in-a-policy", "a NULL owner matches nothing", "src/HmmFast.Vocabulary/Policies/ForeignPageQuestion.cs",
            "RangeOwner != OwnerId.Null && RangeOwner == ProviderOwner", "RangeOwner == OwnerId.Null || RangeOwner == ProviderOwner", "policies"),
        new("bitmap-ignored", "the bitmap decides, not the owner", Policies + "DynamicOwnerPolicy.cs",
            "return question.Reach.BitmapAllows\n", "return question.OwnerMatches\n", "policies"),

        new("reach-read-again", "one view of connectivity a call", Walk,
            "_table = _cache.Get(_key with { ClassCount = _core.Classes.Count }, _core.Classes);",
            "_table = _cache.Get(_key with { ClassCount = _core.Classes.Count, Reach = _key.Client?.Reach }, _core.Classes);", "one-view-a-call"),
        new("owners-read-again", "one view of owners a call", Walk,
            "_table = _cache.Get(_key with { ClassCount = _core.Classes.Count }, _core.Classes);",
            "_table = _cache.Get(_key with { ClassCount = _core.Classes.Count, Owners = _core.Owners }, _core.Classes);", "one-view-of-owners"),
        new("partial-window-taken-for-none", "a window that shows a part answers for the pages it shows", Table,
            "if (shown == outcome)", "if (shown == outcome || window.SlotCount > 0)", "windows"),
        new("offer-not-looked-at", "a page that the window does not show has no alias", Aliases,
            "_table.OfPage(ask, id, alias.IsFrame)", "_table.OfPage(ask, id, true)", "windows"),
        new("offered-run-too-long", "a run of answers ends where the window's run does", Aliases,
            "Math.Min(window.RunAt(new Pfn(pfn), out Pfn alias), end - _at)", "Math.Min(window.RunAt(new Pfn(pfn), out Pfn alias) + 1, end - _at)", "windows"),
        new("window-run-over-its-chunk", "a run of aliases ends where slots do not follow one another", Window,
            "_slotOfChunk[next] == _slotOfChunk[chunk] + (next - chunk)", "_slotOfChunk[next] >= 0", "windows"),
        new("neighbours-request-taken", "pages that ask for something else are answered by themselves", Aliases,
            "(words[alike] & _request.Mask) == asked", "alike > 0", "windows"),
        new("asked-page-by-page", "checks are paid per kind of page", Aliases,
            "byte code = _table.OfPage(ask, id, alias.IsFrame);",
            "_ = _key.Policy?.Decide(new HmmFast.Policies.ForeignPageQuestion { Provider = new DeviceId(0), AliasOffered = true });\n            byte code = _table.OfPage(ask, id, alias.IsFrame);", "windows"),
        new("owner-cached-over-a-change", "an owner that changes is seen by the next call", "src/HmmFast/MemorySystem.cs",
            "pagemap.Owner = owner;\n        _core.PublishOwners();", "pagemap.Owner = owner;", "changes-are-revoked"),
        new("owner-change-not-revoked", "an owner change is complete when everybody was told", "src/HmmFast/MemorySystem.cs",
            "space.Revoke(pagemap);", "", "changes-are-revoked"),

        new("link-down-not-revoked", "a link that goes down is revoked", Changes,
            "else if (!isUp)\n        {\n            Revoke(Plan.Links[link].From);\n            Revoke(Plan.Links[link].To);", "else if (!isUp)\n        {", "changes-are-revoked"),
        new("chunk-unmapped-not-revoked", "an alias dies before its slot shows anything else", Changes,
            "_members[member].Window = WindowFor(member).WithoutChunk(chunk);\n        _counters.Changes++;\n        Publish();\n        Revoke(member);",
            "_members[member].Window = WindowFor(member).WithoutChunk(chunk);\n        _counters.Changes++;\n        Publish();", "changes-are-revoked"),
        new("permission-not-revoked", "who is no longer let in is told", Changes,
            "if (!isPermitted)", "if (isPermitted)", "changes-are-revoked"),
        new("unplug-without-eviction", "an unplug evicts first", Changes,
            "HmmStatus status = _mover.EvictAll(device, out ulong evicted);", "ulong evicted = 0;\n        HmmStatus status = HmmStatus.Ok;", "unplug-out-of-memory"),
        new("clique-joined-by-one-link", "a clique is joined by those that reach all of it", "src/HmmFast.Drivers/Fabric/CliqueOwners.cs",
            "if (members.TrueForAll(other => isConnected(member, other)))\n            {\n                members.Add(member);\n                return owner;",
            "if (members.Exists(other => isConnected(member, other)))\n            {\n                members.Add(member);\n                return owner;", "clique-order"),

        new("look-up-a-page", "map types are looked up once a run", Map,
            "lastP2pPagemap = run.Pagemap;", "lastP2pPagemap = -1;", "dma"),
        new("map-type-cached-over-pagemaps", "another pagemap is looked up anew", Map,
            "run.Pagemap != lastP2pPagemap", "lastP2pPagemap < 0", "dma"),
        new("failed-page-keeps-p2pdma", "a page that cannot be mapped loses P2PDMA", Map,
            "words[i] &= ~DmaFlags;", "words[i] &= ~_layout.DmaMappedBit;", "dma-table"),
        new("bus-page-takes-a-slot", "a bus address is physical plus the provider's offset", Map,
            "bool byPlace = _device.Options.UsesIommu && !isBus;", "bool byPlace = _device.Options.UsesIommu;", "dma-table"),
        new("bus-offset-of-the-device", "a bus address takes the provider's offset, not the device's", Map,
            "isBus ? (ulong)run.BusOffsetBytes : deviceOffset", "deviceOffset", "dma-table"),
        new("host-bridge-not-marked", "a page through the host bridge is marked P2PDMA", Map,
            "(kind == DmaSegmentKind.ThruHostBridge ? _layout.P2pDmaBit : 0)", "0", "dma-table"),
        new("slot-of-the-first-entry", "an entry has the slot of its own place", Map,
            "SlotAddress(first + (int)i)", "SlotAddress((int)i)", "dma-table"),
        new("mapped-again", "a mapped entry keeps its address and is not counted anew", Map,
            "bool isKept = _layout.DmaMappedBit != 0 && state == _layout.DmaMappedBit;", "bool isKept = false;", "dma"),
        new("unmap-without-valid", "only what is valid and mapped is unmapped", Map,
            "hmmPfns.Length, _layout.ValidBit | _layout.DmaMappedBit, DmaFlags", "hmmPfns.Length, _layout.DmaMappedBit, DmaFlags", "dma-table"),
        new("mask-ignored-without-iommu", "nothing is bounced", "src/HmmFast/Dma/DmaDevice.cs",
            "Options.NeedsSync || PfnLimit <= Memory.Options.SystemFrameCount", "Options.NeedsSync", "dma-table"),
        new("sync-ignored", "nothing is synced", "src/HmmFast/Dma/DmaDevice.cs",
            "Options.NeedsSync || PfnLimit <= Memory.Options.SystemFrameCount", "PfnLimit <= Memory.Options.SystemFrameCount", "dma-table"),
        new("iova-ranges-overlap", "a map's IOVA range is its own", "src/HmmFast/Dma/IovaSpace.cs",
            "candidate = _taken[place].First + _taken[place].PageCount;", "candidate = _taken[place].First;", "dma-table"),
    ];
}
