using HmmFast.Policies;
using HmmFast.Topology;

namespace HmmFast.Properties.Equivalence;

/// <content>Devices, and migrations whose destinations come from two of them.</content>
public sealed partial class World
{
    private static readonly LabelPolicy[] Probes = [new(0), new(1)];

    /// <summary>Which device each private page of the window is taken for: one bit of its number. Changes nothing but the count of calls.</summary>
    public IReadOnlyList<ulong> Labels(int bit)
    {
        _answer.Clear();
        var words = new HmmPfn[Shape.Window.PageCount];
        foreach (IAddressSpace space in Memory.AddressSpaces)
        {
            using IMmuIntervalNotifier notifier = space.InsertNotifier(Shape.Window, null);
            Say(space.RangeFault(
                new HmmRange { Range = Shape.Window, Notifier = notifier, NotifierSequence = notifier.ReadBegin(), IgnoresWords = true, Policy = Probes[bit] },
                words));
            foreach (HmmPfn word in words)
            {
                _answer.Add(word.Raw);
            }
        }

        return _answer;
    }

    private DeviceId AddDevice(string name, int device, ulong pageCount) => Memory.AddDevice(new DeviceOptions
    {
        Name = name,
        PageCount = pageCount,
        Owner = _owners[device],
        Kind = Shape.KindOf(device),
        Ops = Shape.HasOps(device) ? new OpsLog(_answer) : null,
    });

    /// <summary>Migrates to two devices at once: up over the border between their frames, down, or mixed.</summary>
    private void MigrateAcross(IAddressSpace space, VpnRange range, Operation operation)
    {
        int device = operation.A % _devices.Length;
        MigrateVmaFlags select = (operation.B % 8) switch
        {
            0 => MigrateVmaFlags.SelectDevicePrivate | MigrateVmaFlags.SelectDeviceCoherent,
            1 => MigrateVmaFlags.SelectSystem | MigrateVmaFlags.SelectDeviceCoherent,
            2 => MigrateVmaFlags.SelectSystem | MigrateVmaFlags.SelectDevicePrivate | MigrateVmaFlags.SelectDeviceCoherent,
            _ => MigrateVmaFlags.SelectSystem,
        };
        var migration = new MigrateVma(range, select, _owners[device]);
        HmmStatus status = space.MigrateVmaSetup(migration);
        Say(status);
        if (status != HmmStatus.Ok)
        {
            return;
        }

        Say(migration);
        var random = new Random(operation.B);
        int leftOut = random.Next(4) == 0 ? 16 : int.MaxValue;
        int[] wanted = [.. Enumerable.Range(0, migration.Source.Length).Where(i => migration.Source[i].IsMigrating && random.Next(leftOut) != 1)];
        Pfn[] pages = PagesOfTwo(_devices[device], _devices[(device + 1) % _devices.Length], wanted.Length, random);
        for (int i = 0; i < pages.Length; i++)
        {
            MigratePfn source = migration.Source[wanted[i]];
            Copy(source, pages[i]);
            migration.Destination[wanted[i]] = MigratePfn.Of(pages[i], migrating: false, source.IsWritable || !source.IsValid);
        }

        Finish(space, migration);
    }

    /// <summary>Free pages of two devices: the last ones of the first and the first ones of the second, in one order or another.</summary>
    private Pfn[] PagesOfTwo(DeviceId first, DeviceId second, int count, Random random)
    {
        Pfn[] low = AllFree(first);
        Pfn[] high = AllFree(second);
        int fromLow = Math.Min(low.Length, random.Next(count + 1));
        int fromHigh = Math.Min(high.Length, count - fromLow);
        Pfn[] last = low[^fromLow..];
        Pfn[] next = high[..fromHigh];
        foreach (Pfn unused in (Pfn[])[.. low[..^fromLow], .. high[fromHigh..]])
        {
            Memory.ReleasePage(unused);
        }

        switch (random.Next(6))
        {
            case 0:
                return [.. next, .. last];
            case 1:
                return [.. last.Reverse(), .. next.Reverse()];
            case 2:
                Pfn[] shuffled = [.. last, .. next];
                random.Shuffle(shuffled);
                return shuffled;
            default:
                return [.. last, .. next];
        }
    }

    private Pfn[] AllFree(DeviceId device)
    {
        var pages = new Pfn[Memory.FreeDevicePageCount(device)];
        return pages[..Memory.AllocateDevicePages(device, pages)];
    }

    /// <summary>Importers that reach the first two devices by windows: in order, out of order, and one where only some pages have an alias.</summary>
    private HmmClient[] MakeClients()
    {
        const ulong Chunk = 8;
        AliasWindow[] whole = new AliasWindow[2];
        for (int i = 0; i < whole.Length; i++)
        {
            (Pfn first, ulong count) = Memory.DeviceFrames(_devices[i]);
            ulong aliases = (count + Chunk - 1) / Chunk * Chunk;
            DeviceId bar = Memory.AddDevice(new DeviceOptions { Name = "bar", PageCount = aliases, Owner = OwnerId.Null, Kind = DeviceMemoryKind.PciP2pdma });
            whole[i] = AliasWindow.Create(first, count, Memory.DeviceFrames(bar).First, aliases, Chunk);
        }

        return [Client("in order", whole[0], whole[1]), Client("out of order", Backwards(whole[0], 1), whole[1]), Client("partly", Backwards(whole[0], 2), whole[1])];
    }

    /// <summary>The window with chunks mapped from the last on, all or one of several.</summary>
    private static AliasWindow Backwards(AliasWindow window, int step)
    {
        int chunks = window.ChunkCount;
        for (int chunk = 0; chunk < chunks; chunk++)
        {
            window = window.WithoutChunk(chunk);
        }

        for (int chunk = chunks - 1; chunk >= 0; chunk -= step)
        {
            window.TryMapChunk(chunk, out window);
        }

        return window;
    }

    private static HmmClient Client(string name, params ReadOnlySpan<AliasWindow> windows)
    {
        var providers = new ProviderReach[windows.Length];
        for (int i = 0; i < windows.Length; i++)
        {
            providers[i] = new ProviderReach { P2p = new P2PdmaAnswer(P2PdmaMapType.BusAddr, 4), IsPermitted = true, Window = windows[i] };
        }

        return new HmmClient(name) { Reach = new ClientReach(providers) };
    }
}
