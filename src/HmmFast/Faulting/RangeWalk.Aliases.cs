using HmmFast.AddressSpaces;
using HmmFast.Kernels;
using HmmFast.Policies;

namespace HmmFast.Faulting;

/// <content>Policies that hand out aliases: frame numbers are replaced after the look-up, or the policy is asked page by page.</content>
internal ref partial struct RangeWalk
{
    // Pages whose answers, 8 bytes each, stay in the first-level cache between two passes.
    private const int AliasPages = 2048;

    /// <summary>A device-private page of a window that shows only some pages: the policy is asked for this one.</summary>
    private readonly unsafe byte DecideOne(PageClass pageClass, PageAsk ask, out ulong pfn)
    {
        pfn = _space.Columns.Pfn[_at];
        AliasWindow window = _key.Reach!.Of(new DeviceId(pageClass.Device - 1)).Window!;
        bool isOffered = window.TryGetAlias(new Pfn(pfn), out Pfn alias);
        ForeignPageOutcome outcome = DecisionTable.OutcomeOf(pageClass, ask, _key, _core.Physical, isOffered);
        if (outcome == ForeignPageOutcome.Alias)
        {
            pfn = alias.Value;
        }

        return Decision.Decide(pageClass, ask, outcome);
    }

    /// <summary>Puts alias frame numbers in the stead of private ones, under the request that every page has.</summary>
    private readonly void ReplaceByAliases(ReadOnlySpan<byte> classes, ReadOnlySpan<uint> pfns, scoped Span<ulong> words)
    {
        byte form = (byte)(1 << DecisionTable.FormOf(_default));
        Span<ulong> marks = stackalloc ulong[AliasPages / 64];
        foreach (AliasProvider provider in _table.Providers)
        {
            Span<ulong> some = marks[..((classes.Length + 63) / 64)];
            if (_kernels.MarkMembers(classes, provider.Members, form, some) > 0)
            {
                provider.Replace(some, pfns, words[..classes.Length]);
            }
        }
    }

    /// <summary>Per-page requests with aliases: what each page asked is kept before the answers overwrite it.</summary>
    private readonly int ResolveAsked(ReadOnlySpan<byte> classes, ReadOnlySpan<uint> pfns, scoped Span<ulong> words)
    {
        Span<byte> forms = stackalloc byte[AliasPages];
        for (int i = 0; i < words.Length; i++)
        {
            ulong word = (words[i] & _request.Mask) | _request.Default;
            var ask = new PageAsk((word & _layout.ValidBit) != 0, (word & _layout.WriteBit) != 0, (word & _layout.AllowP2pBit) != 0);
            forms[i] = (byte)(1 << DecisionTable.FormOf(ask));
        }

        int done = _kernels.ResolvePerPage(classes, pfns, _table.Requests, _request, _format, words);
        foreach (AliasProvider provider in _table.Providers)
        {
            ReadOnlySpan<byte> members = provider.Bits;
            for (int i = 0; i < done; i++)
            {
                if ((members[classes[i]] & forms[i]) != 0)
                {
                    words[i] = provider.Replaced(words[i], pfns[i]);
                }
            }
        }

        return done;
    }
}
