using HmmFast.AddressSpaces;
using HmmFast.Kernels;
using HmmFast.Policies;

namespace HmmFast.Faulting;

/// <summary>What every class becomes under every form of request, for one caller: six tables of 256 bytes. Immutable once built.</summary>
/// <remarks>Where a window shows only some pages of a pagemap and that matters, a class has two resolutions under a request: of a page that is shown, and of one that is not.</remarks>
internal sealed class DecisionTable
{
    // Two rows of classes a request form: not offered, offered. Null where no class needs them.
    private byte[]? _byOffer;

    public DecisionTable(DecisionKey key, PageClassTable classes)
    {
        Key = key;
        bool isTyped = key.Policy?.TypedOutput ?? false;
        Span<byte> codes = stackalloc byte[PageClassTable.Capacity];
        var providers = new List<AliasProvider>();
        int count = key.ClassCount;
        for (int form = 0; form < 6; form++)
        {
            var ask = new PageAsk(form % 3 != 0, form % 3 == 2, form >= 3);
            for (int id = 0; id < count; id++)
            {
                PageClass pageClass = classes[(byte)id];
                byte code = pageClass.Kind == PageEntryKind.DevicePrivate ? DecidePrivate(pageClass, (byte)id, ask) : Decision.Decide(pageClass, ask, default);
                if ((code & Decision.AliasKind) != 0 && (code & Resolution.WorkMask) == 0)
                {
                    MembersOf(providers, pageClass.Device - 1, key)[id] |= (byte)(1 << form);
                }

                codes[id] = isTyped || (code & Resolution.WorkMask) != 0 ? code : (byte)(code & ~Resolution.KindMask);
            }

            TableOf(form).Set(codes[..count]);
        }

        foreach (AliasProvider provider in providers)
        {
            provider.Members.Set(provider.Bits.AsSpan(0, count));
        }

        Providers = [.. providers];
    }

    /// <summary>What it rests on. A field, so that every call can compare it where it stands.</summary>
    public readonly DecisionKey Key;

    /// <summary>The tables by request.</summary>
    public RequestTables Requests { get; } = new();

    /// <summary>Providers some of whose pages are answered with alias pfns, so that frame numbers must be replaced.</summary>
    public AliasProvider[] Providers { get; }

    public bool HasAliases => Providers.Length > 0;

    /// <summary>The table of one request.</summary>
    public ByteTable Of(PageAsk ask) => TableOf(FormOf(ask));

    /// <summary>The number of a request form, 0 to 5.</summary>
    public static int FormOf(PageAsk ask) => (!ask.Fault ? 0 : ask.Write ? 2 : 1) + (ask.AllowP2p ? 3 : 0);

    /// <summary>The resolution of a page whose class alone does not say it (<see cref="Decision.Special"/>): its window shows only some pages. With kind bits, whether or not words have them.</summary>
    public byte OfPage(PageAsk ask, byte id, bool isOffered) => _byOffer![OfferRow(FormOf(ask), isOffered) + id];

    /// <summary>What the policy says of a device-private page.</summary>
    private static ForeignPageOutcome OutcomeOf(PageClass pageClass, PageAsk ask, in DecisionKey key, bool isOffered)
    {
        var provider = new DeviceId(pageClass.Device - 1);
        OwnerId owner = key.OwnerOf(provider.Index);
        if (key.Policy is null)
        {
            return key.Owner != OwnerId.Null && key.Owner == owner ? ForeignPageOutcome.Private : ForeignPageOutcome.Fall;
        }

        ForeignPageOutcome outcome = key.Policy.Decide(new ForeignPageQuestion
        {
            Provider = provider,
            Client = key.Client,
            ProviderOwner = owner,
            RangeOwner = key.Owner,
            AliasOffered = isOffered,
            Reach = key.Reach is null ? default : key.Reach.Of(provider),
            AllowP2p = ask.AllowP2p,
            WriteAsked = ask is { Fault: true, Write: true },
            EntryIsWritable = pageClass.IsWritable,
        }).Outcome;
        return outcome != ForeignPageOutcome.Alias || isOffered
            ? outcome
            : throw new InvalidOperationException($"Policy '{key.Policy.Name}' answered Alias for a page of device {provider.Index}, for which none is offered.");
    }

    private static int OfferRow(int form, bool isOffered) => ((2 * form) + (isOffered ? 1 : 0)) * PageClassTable.Capacity;

    private byte DecidePrivate(PageClass pageClass, byte id, PageAsk ask)
    {
        AliasWindow? window = Key.Reach?.Of(new DeviceId(pageClass.Device - 1)).Window;
        ForeignPageOutcome outcome = OutcomeOf(pageClass, ask, Key, isOffered: window is { OffersAll: true });
        byte code = Decision.Decide(pageClass, ask, outcome);
        if (window is not { OffersAll: false })
        {
            return code;
        }

        ForeignPageOutcome shown = OutcomeOf(pageClass, ask, Key, isOffered: true);
        if (shown == outcome)
        {
            return code;
        }

        // Some pages have an alias and some do not, and it matters: both answers are kept, and the window says page by page which one holds.
        int form = FormOf(ask);
        _byOffer ??= new byte[2 * 6 * PageClassTable.Capacity];
        _byOffer[OfferRow(form, false) + id] = code;
        _byOffer[OfferRow(form, true) + id] = Decision.Decide(pageClass, ask, shown);
        return Decision.Special;
    }

    private static byte[] MembersOf(List<AliasProvider> providers, int device, in DecisionKey key)
    {
        foreach (AliasProvider known in providers)
        {
            if (known.Device == device)
            {
                return known.Bits;
            }
        }

        var added = new AliasProvider(device, key.Reach!.Of(new DeviceId(device)).Window!);
        providers.Add(added);
        return added.Bits;
    }

    private ByteTable TableOf(int form) => form switch
    {
        0 => Requests.None,
        1 => Requests.Read,
        2 => Requests.Write,
        3 => Requests.NoneAllowed,
        4 => Requests.ReadAllowed,
        _ => Requests.WriteAllowed,
    };
}
