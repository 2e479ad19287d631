using HmmFast.Drivers.Fabric;
using HmmFast.Drivers.Importing;
using HmmFast.Drivers.Moving;
using HmmFast.Policies;

namespace HmmFast.Simulation.Comparison;

/// <summary>Follows one page through a policy's run and writes down why it ends where it does.</summary>
internal sealed class PageExplainer
{
    private readonly DeviceFabric _fabric;
    private readonly IHmmPolicy _policy;
    private readonly IAddressSpace _space;
    private readonly Vpn _page;
    private readonly HmmPfnLayout _layout;
    private readonly List<string> _lines = [];
    private readonly HmmPfn[] _word = new HmmPfn[1];
    private PageImporter? _last;

    public PageExplainer(DeviceFabric fabric, IHmmPolicy policy, IAddressSpace space, Vpn page)
    {
        _fabric = fabric;
        _policy = policy;
        _space = space;
        _page = page;
        _layout = space.Memory.Options.Layout;
    }

    public IReadOnlyList<string> Lines => _lines;

    public void Begin() => _lines.Add($"at first: {Place()}");

    public void Watch(PageImporter importer)
    {
        if (!importer.Registration.Contains(_page))
        {
            return;
        }

        importer.Observer = (range, step, words) =>
        {
            if (range.Contains(_page))
            {
                _last = importer;
                HmmPfn word = words[(int)(_page - range.Start)];
                _lines.Add($"    {step}; the page's word is {Show(word)}");
            }
        };
    }

    public void Step(ScenarioStep step, PolicyScenario scenario, int round, OwnerId? forced)
    {
        _last = null;
        string what = step.Kind switch
        {
            ScenarioStepKind.Fault => $"{string.Join(" and ", step.Devices.Select(device => scenario.Devices[device].Name))} {(step.Writes ? "writes" : "reads")}",
            ScenarioStepKind.LinkDown or ScenarioStepKind.LinkUp => $"the link {scenario.Devices[scenario.Links[step.Link].From].Name}-{scenario.Devices[scenario.Links[step.Link].To].Name} goes {(step.Kind == ScenarioStepKind.LinkUp ? "up" : "down")}",
            ScenarioStepKind.Restore => "the devices take their pages back",
            ScenarioStepKind.CpuRead => "the CPU reads everything",
            ScenarioStepKind.MapProvider => step.Describe(scenario),
            _ => $"{step.Kind} {string.Join(", ", step.Devices.Select(device => scenario.Devices[device].Name))}",
        };
        _lines.Add(scenario.Rounds > 1 ? $"round {round + 1}, {what}" : what);
        if (step.Kind == ScenarioStepKind.Fault)
        {
            foreach (int member in step.Devices)
            {
                Ask(member, forced ?? _fabric.OwnerOf(member), step.Writes);
            }
        }
    }

    public void After(ScenarioStep step, HmmStatus status)
    {
        if (status != HmmStatus.Ok)
        {
            _lines.Add($"    not carried through: {status}");
        }

        if (step.Kind != ScenarioStepKind.Fault)
        {
            _lines.Add($"    now {Place()}");
            return;
        }

        string got = _last is null ? "was not asked for (mapped already, or outside the part)" : Text(_last.Outcomes[(int)(_page - _last.Registration.Start)]);
        _lines.Add($"    the page {got}; it lies {Place()}");
    }

    private void Ask(int member, OwnerId owner, bool writes)
    {
        Look();
        Pfn pfn = _layout.PfnOf(_word[0]);
        if (!_layout.IsValid(_word[0]) || _space.Memory.DeviceOf(pfn) is not { } device || _space.Memory.KindOf(device) != DeviceMemoryKind.Private)
        {
            return;
        }

        ProviderReach reach = _fabric.ClientOf(member).Reach.Of(device);
        bool isOffered = reach.Window is { } window && window.TryGetAlias(pfn, out _);
        ForeignPageQuestion question = new()
        {
            Provider = device,
            Client = _fabric.ClientOf(member),
            ProviderOwner = _space.Memory.OwnerOf(device),
            RangeOwner = owner,
            Reach = reach,
            AliasOffered = isOffered,
            AllowP2p = _policy.RequestsP2p,
            WriteAsked = writes,
            EntryIsWritable = _layout.IsWritable(_word[0]),
        };
        ForeignPageAnswer answer = _policy.Decide(question);
        string rest = _policy.Owners == OwnerRule.Bitmap ? $" bitmap={Bit(reach.BitmapAllows)}" : "";
        _lines.Add(
            $"    O={Bit(question.OwnerMatches)} (owners {question.ProviderOwner.Value} and {(owner == OwnerId.Null ? "NULL" : owner.Value)}) P={Bit(question.AllowP2p)} E={Bit(isOffered)} M={reach.P2p} I={Bit(reach.LinkIsUp)}{rest}"
            + $" -> {answer.Outcome}{(answer.Checks == PolicyChecks.None ? "" : $" (paid: {answer.Checks})")}");
    }

    private string Place()
    {
        Look();
        Pfn pfn = _layout.PfnOf(_word[0]);
        if (!_layout.IsValid(_word[0]))
        {
            return "nowhere (no entry that can be read)";
        }

        int member = _fabric.MemberOf(pfn);
        return member < 0 ? $"in system memory ({pfn})" : $"on {_fabric.Plan.Members[member].Name} ({pfn})";
    }

    private void Look() => DevicePages.Snapshot(_space, new VpnRange(_page, 1), _word);

    private string Show(HmmPfn word)
    {
        if (!_layout.IsValid(word))
        {
            return _layout.IsError(word) ? "ERROR" : "0";
        }

        string flags = _layout.IsWritable(word) ? "VALID|WRITE" : "VALID";
        flags += (word.Raw & _layout.DmaMappedBit) != 0 ? "|DMA_MAPPED" : "";
        flags += (word.Raw & _layout.P2pDmaBusBit) != 0 ? "|P2PDMA_BUS" : "";
        flags += (word.Raw & _layout.P2pDmaBit) != 0 ? "|P2PDMA" : "";
        flags += (word.Raw & _layout.TypePrivateBit) != 0 ? "|PRIVATE" : "";
        flags += (word.Raw & _layout.TypeP2pBit) != 0 ? "|P2P" : "";
        return $"{_layout.PfnOf(word)} {flags}";
    }

    private static string Text(PageOutcome outcome) => outcome switch
    {
        PageOutcome.System => "is system memory for it",
        PageOutcome.SystemWholeRange => "is system memory for it, because the whole range was asked for again",
        PageOutcome.Local => "is local memory for it",
        PageOutcome.PrivateLink => "is used over the private link",
        PageOutcome.PrivateExporterMapped => "is mapped by its exporter over PCI",
        PageOutcome.AliasBus => "is an alias by bus address",
        PageOutcome.AliasHostBridge => "is an alias through the host bridge",
        PageOutcome.Unusable => "is UNUSABLE: a private pfn without a way to it",
        PageOutcome.Failed => "FAILED: the request ended in an error",
        PageOutcome.Hole => "cannot be had",
        _ => "is not mapped any more",
    };

    private static string Bit(bool value) => value ? "1" : "0";
}
