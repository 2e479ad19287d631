using HmmFast.Policies;

namespace HmmFast.Properties.Policies;

/// <content>Steps that change memory under the importers: a child, huge pages, swap, exclusive pages, pins, and owners that change by hand.</content>
public sealed partial class PolicyWorld
{
    private readonly bool[] _isShared;
    private readonly List<Pfn> _pins = [];
    private IAddressSpace? _child;
    private ulong[] _childTags = [];
    private bool[] _childShares = [];

    /// <summary>The child, if there is one.</summary>
    public IAddressSpace? Child => _child;

    /// <summary>References that the world holds on a frame.</summary>
    public uint PinsOf(Pfn pfn) => (uint)_pins.Count(pin => pin == pfn);

    private void ChangeMemory(int kind, VpnRange range, int member, Random random)
    {
        switch (kind)
        {
            case < 104:
                _child?.Dispose();
                _child = Space.Fork();
                _childTags = [.. _tags];
                _childShares = [.. _isShared];
                break;
            case < 107:
                ReadChild(range);
                break;
            case < 109:
                _child?.Dispose();
                _child = null;
                break;
            case < 113:
                Say(Space.Advise(range, Advice.PageOut));
                break;
            case < 117:
                var frames = new Pfn[range.PageCount];
                Say(Space.MakeDeviceExclusive(range, Fabric.OwnerOf(member), frames, out ulong faulted));
                _answer.Add(faulted);
                _answer.AddRange(frames.Select(frame => frame.Value));
                break;
            case < 120:
                Pin(range.Start);
                break;
            case < 123:
                if (_pins.Count != 0)
                {
                    int which = random.Next(_pins.Count);
                    Memory.Unpin(_pins[which]);
                    _pins.RemoveAt(which);
                }

                break;
            case < 127:
                // Where owners follow a rule the fabric alone gives them.
                if (Shape.Policy.Owners == OwnerRule.AsConfigured && Fabric.DeviceOf(member) is { } device)
                {
                    Memory.SetOwner(device, new OwnerId(1 + (uint)random.Next(4)));
                }

                break;
            default:
                TouchHuge(random);
                break;
        }
    }

    /// <summary>The child sees what was there when it was made; shared pages are the parent's too.</summary>
    private void ReadChild(VpnRange range)
    {
        if (_child is null)
        {
            return;
        }

        ulong[] tags = new ulong[range.PageCount];
        var results = new CpuAccessResult[range.PageCount];
        _answer.Add((ulong)_child.CpuRead(range, tags, results));
        int first = (int)(range.Start - Shape.Pages.Start);
        for (int i = 0; i < tags.Length; i++)
        {
            _answer.Add(tags[i]);
            if (results[i] == CpuAccessResult.Ok && !_childShares[first + i] && tags[i] != _childTags[first + i])
            {
                throw new CheckFailedException($"page {first + i} of the child holds {tags[i]:x}, not the {_childTags[first + i]:x} that it was made with");
            }
        }
    }

    private void Pin(Vpn vpn)
    {
        Span<PageObservation> page = stackalloc PageObservation[1];
        Space.Observe(new VpnRange(vpn, 1), page);
        if (page[0] is { Kind: PageEntryKind.Present or PageEntryKind.DevicePrivate, IsZeroPage: false })
        {
            Memory.Pin(page[0].Frame);
            _pins.Add(page[0].Frame);
        }
    }

    /// <summary>The whole block is emptied and comes back as one entry.</summary>
    private void TouchHuge(Random random)
    {
        if (!Shape.HasHugePages)
        {
            return;
        }

        VpnRange block = new(Shape.Pages.Start, PageOrder.PagesPerBlock);
        Say(Space.Unmap(block));
        Map(block, MappingKind.PrivateAnonymous);
        Say(Space.Advise(block, Advice.HugePage));
        VpnRange touched = new(block.Start + (ulong)random.Next((int)block.PageCount), 1);
        if (random.Next(3) == 0)
        {
            CheckContent(touched);
        }
        else
        {
            CpuWrite(touched);
        }
    }
}
