using System.Runtime.CompilerServices;
using HmmFast.AddressSpaces;
using HmmFast.Kernels;

namespace HmmFast.Faulting;

/// <summary>Answers single pages in any order, as long as their entry needs no work: one look-up each, with what they have in common kept between them.</summary>
internal ref struct ScatteredWalk
{
    private const ulong BlockPages = PageOrder.PagesPerBlock;

    private readonly MemoryCore _core;
    private readonly DecisionCache _cache;
    private readonly AddressSpace _space;
    private readonly HmmPfnLayout _layout;
    private readonly ulong _mask;
    private readonly ulong _defaults;
    private readonly ulong _sticky;
    private readonly bool _isPlain;
    private DecisionKey _key;
    private DecisionTable _table;
    private Vma? _vma;

    public ScatteredWalk(MemoryCore core, DecisionCache cache, AddressSpace space, in HmmRange range)
    {
        _core = core;
        _cache = cache;
        _space = space;
        _layout = core.Options.Layout;
        _mask = range.IgnoresWords ? 0 : _layout.Encode(range.PfnFlagsMask);
        _defaults = _layout.Encode(range.DefaultFlags);
        _sticky = range.IgnoresWords ? 0 : _layout.StickyMask;
        _isPlain = range.Policy is not { TypedOutput: true };
        _key = new DecisionKey(range.Policy, range.Client, range.Client?.Reach, range.Owner, core.Owners, core.Classes.Count);
        _table = cache.Get(_key, core.Classes);
    }

    /// <summary>Something was faulted: VMAs stand, but there may be new classes.</summary>
    public void Refresh()
    {
        if (_core.Classes.Count != _key.ClassCount)
        {
            _key = _key with { ClassCount = _core.Classes.Count };
            _table = _cache.Get(_key, _core.Classes);
        }
    }

    /// <summary>Asks for what a page's answer will be read from: its turn comes later. Reads nothing, so any number will do.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly unsafe void Expect(ulong vpn)
    {
        PageColumns columns = _space.Columns;
        Streaming.FetchFar(columns.Class + vpn);
        Streaming.FetchFar(columns.Pfn + vpn);
        Streaming.FetchFar(columns.Block + (vpn / BlockPages));
    }

    /// <summary>Answers a page whose table entry says all. False: left to a whole walk.</summary>
    public unsafe bool TryAnswer(ulong vpn, ref HmmPfn word)
    {
        if (_vma is null || !_vma.Contains(vpn))
        {
            _vma = _space.VmaList.Find(vpn);
        }

        if (_vma is null || !_vma.CanRead || _vma.IsUnfaultable || !_isPlain || _table.HasAliases
            || _space.Columns.Block[vpn / BlockPages].Kind != BlockKind.Table)
        {
            return false;
        }

        ulong request = (word.Raw & _mask) | _defaults;
        var ask = new PageAsk((request & _layout.ValidBit) != 0, (request & _layout.WriteBit) != 0, (request & _layout.AllowP2pBit) != 0);
        byte code = _table.Of(ask)[_space.Columns.Class[vpn]];
        if ((code & Resolution.WorkMask) != 0)
        {
            return false;
        }

        ulong pfn = (code & Resolution.Valid) != 0 ? _space.Columns.Pfn[vpn] : 0;
        word = new HmmPfn((word.Raw & _sticky) | ((ulong)code << 56) | pfn);
        return true;
    }
}
