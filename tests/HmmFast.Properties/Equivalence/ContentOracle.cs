namespace HmmFast.Properties.Equivalence;

/// <summary>Knows, from the operations alone, what each privately written page must hold; shares nothing with either implementation.</summary>
/// <remarks>A page is known from the write that set it (or from a fresh private anonymous mapping, as 0) until something may change it from outside.</remarks>
public sealed class ContentOracle
{
    private readonly Dictionary<IAddressSpace, Dictionary<ulong, ulong>> _known = [];

    public void Start(IAddressSpace space) => _known.Add(space, []);

    public void End(IAddressSpace space) => _known.Remove(space);

    public void Fork(IAddressSpace parent, IAddressSpace child) => _known.Add(child, new Dictionary<ulong, ulong>(_known[parent]));

    public void Know(IAddressSpace space, Vpn vpn, ulong tag) => _known[space][vpn.Value] = tag;

    public void Know(IAddressSpace space, VpnRange range, ulong tag)
    {
        for (ulong i = 0; i < range.PageCount; i++)
        {
            Know(space, range.Start + i, tag);
        }
    }

    public void Forget(IAddressSpace space, VpnRange range)
    {
        Dictionary<ulong, ulong> known = _known[space];
        for (ulong i = 0; i < range.PageCount; i++)
        {
            known.Remove(range.Start.Value + i);
        }
    }

    /// <summary>Every page of the range that is known holds 0 from now on (DONTNEED of anonymous memory).</summary>
    public void Drop(IAddressSpace space, VpnRange range)
    {
        for (ulong i = 0; i < range.PageCount; i++)
        {
            Vpn vpn = range.Start + i;
            if (VmaAt(space, vpn) is { Kind: MappingKind.PrivateAnonymous })
            {
                Know(space, vpn, 0);
            }
            else
            {
                _known[space].Remove(vpn.Value);
            }
        }
    }

    public void Move(IAddressSpace space, VpnRange range, Vpn to)
    {
        Dictionary<ulong, ulong> known = _known[space];
        for (ulong i = 0; i < range.PageCount; i++)
        {
            if (known.Remove(range.Start.Value + i, out ulong tag))
            {
                known[to.Value + i] = tag;
            }
            else
            {
                known.Remove(to.Value + i);
            }
        }
    }

    /// <summary>A write went through: the page is known where nobody else can write it.</summary>
    public void Written(IAddressSpace space, Vpn vpn, ulong tag)
    {
        if (VmaAt(space, vpn) is { Kind: MappingKind.PrivateAnonymous or MappingKind.PrivateFile })
        {
            Know(space, vpn, tag);
        }
    }

    /// <summary>Null, or how a page that was read differs from what it must hold.</summary>
    public string? Check(IAddressSpace space, Vpn vpn, ulong tag) =>
        _known[space].TryGetValue(vpn.Value, out ulong expected) && expected != tag
            ? $"content: {vpn} holds 0x{tag:x}, written was 0x{expected:x}"
            : null;

    private static VmaInfo? VmaAt(IAddressSpace space, Vpn vpn)
    {
        foreach (VmaInfo vma in space.Vmas)
        {
            if (vma.Range.Contains(vpn))
            {
                return vma;
            }
        }

        return null;
    }
}
