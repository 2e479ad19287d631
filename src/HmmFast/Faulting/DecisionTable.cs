using HmmFast.AddressSpaces;
using HmmFast.Kernels;
using HmmFast.Physical;
using HmmFast.Policies;

namespace HmmFast.Faulting;

/// <summary>What every class becomes under every form of request, for one caller: six tables of 256 bytes. Immutable once built.</summary>
internal sealed class DecisionTable
{
    public DecisionTable(DecisionKey key, PageClassTable classes, PhysicalMemory physical)
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
                byte code = pageClass.Kind == PageEntryKind.DevicePrivate ? DecidePrivate(pageClass, ask, key, physical) : Decision.Decide(pageClass, ask, default);
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

    /// <summary>What the policy says of a device-private page.</summary>
    public static ForeignPageOutcome OutcomeOf(PageClass pageClass, PageAsk ask, in DecisionKey key, PhysicalMemory physical, bool isOffered)
    {
        Pagemap pagemap = physical.Pagemaps[pageClass.Device - 1];
        if (key.Policy is null)
        {
            return key.Owner != OwnerId.Null && key.Owner == pagemap.Owner ? ForeignPageOutcome.Private : ForeignPageOutcome.Fall;
        }

        var provider = new DeviceId(pagemap.Device);
        ForeignPageOutcome outcome = key.Policy.Decide(new ForeignPageQuestion
        {
            Provider = provider,
            Client = key.Client,
            ProviderOwner = pagemap.Owner,
            RangeOwner = key.Owner,
            AliasOffered = isOffered,
            Reach = key.Reach is null ? default : key.Reach.Of(provider),
            AllowP2p = ask.AllowP2p,
            WriteAsked = ask is { Fault: true, Write: true },
            EntryIsWritable = pageClass.IsWritable,
        }).Outcome;
        return outcome != ForeignPageOutcome.Alias || isOffered
            ? outcome
            : throw new InvalidOperationException($"Policy '{key.Policy.Name}' answered Alias for a page of device {pagemap.Device}, for which none is offered.");
    }

    private static byte DecidePrivate(PageClass pageClass, PageAsk ask, in DecisionKey key, PhysicalMemory physical)
    {
        AliasWindow? window = key.Reach?.Of(new DeviceId(pageClass.Device - 1)).Window;
        ForeignPageOutcome outcome = OutcomeOf(pageClass, ask, key, physical, isOffered: window is { OffersAll: true });
        if (window is { OffersAll: false } && OutcomeOf(pageClass, ask, key, physical, isOffered: true) != outcome)
        {
            // Some pages have an alias and some do not, and it matters: asked page by page.
            return Decision.Special;
        }

        return Decision.Decide(pageClass, ask, outcome);
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
