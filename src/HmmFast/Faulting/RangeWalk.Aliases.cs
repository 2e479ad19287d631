using HmmFast.AddressSpaces;
using HmmFast.Kernels;
using HmmFast.Policies;

namespace HmmFast.Faulting;

/// <content>Policies that hand out aliases: frame numbers are replaced after the look-up, and where a window shows only some pages its runs say which of two resolutions holds.</content>
internal ref partial struct RangeWalk
{
    // Pages whose answers, 8 bytes each, stay in the first-level cache between two passes.
    private const int AliasPages = 2048;

    /// <summary>
    /// Private pages of windows that show only some, from the one the walk stands at: answered run by run, each as far as class, request, frames and the
    /// window's answer go on alike.
    /// </summary>
    /// <param name="end">Where the page tables looked at end.</param>
    /// <returns>The resolution of the page that the walk stands at if that one must be faulted; else it stands behind the pages answered.</returns>
    private unsafe byte AnswerByOffer(ulong end)
    {
        while (_at < end && !IsFull)
        {
            PageAsk ask = AskAt(_at);
            byte id = _space.Columns.Class[_at];
            if ((_table.Of(ask)[id] & Resolution.WorkMask) != Decision.Special || _core.Classes[id].Kind != PageEntryKind.DevicePrivate)
            {
                break;
            }

            ulong pfn = _space.Columns.Pfn[_at];
            AliasWindow window = _key.Reach!.Of(new DeviceId(_core.Classes[id].Device - 1)).Window!;
            int most = (int)Math.Min(Math.Min(window.RunAt(new Pfn(pfn), out Pfn alias), end - _at), MostPages);
            byte code = _table.OfPage(ask, id, alias.IsFrame);
            if ((code & Resolution.WorkMask) != 0)
            {
                return code;
            }

            int run = _kernels.EqualRun(new ReadOnlySpan<byte>(_space.Columns.Class + _at, most));
            run = AskedAlike(_kernels.CountingRun(new ReadOnlySpan<uint>(_space.Columns.Pfn + _at, run)));
            bool isValid = (code & Resolution.Valid) != 0;
            ulong frame = !isValid ? 0 : (code & Decision.AliasKind) != 0 ? alias.Value : pfn;
            ulong kind = _format.KindShift == 0 ? 0 : (ulong)((code & Resolution.KindMask) >> Resolution.KindBit) << _format.KindShift;
            Answer(_at + (ulong)run, ((ulong)(code & ~Resolution.KindMask) << 56) | kind | frame, isValid ? 1UL : 0);
        }

        return Resolution.Nothing;
    }

    /// <summary>How many of some pages from the one the walk stands at ask for what that one asks for.</summary>
    private readonly int AskedAlike(int count)
    {
        if (!_isPerPage)
        {
            return count;
        }

        ReadOnlySpan<ulong> words = Words(_at, _at + (ulong)count);
        ulong asked = words[0] & _request.Mask;
        int alike = 1;
        while (alike < words.Length && (words[alike] & _request.Mask) == asked)
        {
            alike++;
        }

        return alike;
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
