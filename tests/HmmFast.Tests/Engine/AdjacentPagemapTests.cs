namespace HmmFast.Tests.Engine;

/// <summary>Pagemaps of whole 512 pages follow each other without a gap: runs of frames must end at their borders.</summary>
public sealed class AdjacentPagemapTests
{
    private const int N = 64;
    private static readonly VpnRange Range = new(new Vpn(1UL << 19), N);

    [Fact]
    public void Finalize_RunOverTwoPagemaps_GivesEachItsPagesBack()
    {
        using var memory = Make(1, 1, written: true, out DeviceId gpu0, out DeviceId gpu1, out IAddressSpace space);
        var back = new MigrateVma(Range, MigrateVmaFlags.SelectDevicePrivate, new OwnerId(1));
        Assert.Equal(HmmStatus.Ok, space.MigrateVmaSetup(back));
        var pages = new Pfn[N];
        Assert.Equal(N, memory.AllocateSystemPages(pages));
        Give(back, pages);
        space.MigrateVmaPages(back);
        space.MigrateVmaFinalize(back);
        Assert.Equal(512UL, memory.FreeDevicePageCount(gpu0));
        Assert.Equal(512UL, memory.FreeDevicePageCount(gpu1));
    }

    [Fact]
    public void Insert_RunOverTwoPagemaps_EachPageIsItsDevices()
    {
        using var memory = Make(1, 2, written: false, out _, out _, out IAddressSpace space);
        using IMmuIntervalNotifier notifier = space.InsertNotifier(Range, null);
        var words = new HmmPfn[N];
        space.RangeFault(new HmmRange { Range = Range, Notifier = notifier, NotifierSequence = notifier.ReadBegin(), Owner = new OwnerId(2), IgnoresWords = true }, words);
        Assert.Equal(0UL, words[10].Raw);
        Assert.NotEqual(0UL, words[40].Raw);
    }

    [Fact]
    public void Pages_DestinationThatIsNoFrame_Throws()
    {
        using var memory = Make(1, 1, written: true, out _, out _, out IAddressSpace space, place: false);
        var migration = new MigrateVma(Range, MigrateVmaFlags.SelectSystem, new OwnerId(1));
        Assert.Equal(HmmStatus.Ok, space.MigrateVmaSetup(migration));
        Give(migration, [.. Enumerable.Repeat(new Pfn(0xFFFF_FFFF0), N)]);
        Assert.Throws<ArgumentException>(() => space.MigrateVmaPages(migration));
    }

    private static MemorySystem Make(uint owner0, uint owner1, bool written, out DeviceId gpu0, out DeviceId gpu1, out IAddressSpace space, bool place = true)
    {
        var memory = new MemorySystem(new MemorySystemOptions { SystemFrameCount = 2048, Window = VpnRange.FromBounds(new Vpn(1UL << 18), new Vpn(1UL << 20)) });
        gpu0 = memory.AddDevice(new DeviceOptions { Name = "gpu0", PageCount = 512, Owner = new OwnerId(owner0) });
        gpu1 = memory.AddDevice(new DeviceOptions { Name = "gpu1", PageCount = 512, Owner = new OwnerId(owner1) });
        space = memory.CreateAddressSpace();
        space.Map(Range, Protection.ReadWrite, MappingKind.PrivateAnonymous, FileId.None, 0);
        space.Advise(Range, Advice.NoHugePage);
        if (written)
        {
            space.CpuWrite(Range, 7, 1, new CpuAccessResult[N]);
        }

        if (place)
        {
            var all = new Pfn[512];
            var few = new Pfn[N / 2];
            memory.AllocateDevicePages(gpu0, all);
            memory.AllocateDevicePages(gpu1, few);
            var migration = new MigrateVma(Range, MigrateVmaFlags.SelectSystem, new OwnerId(1));
            space.MigrateVmaSetup(migration);
            Give(migration, [.. all[(512 - (N / 2))..], .. few]);
            space.MigrateVmaPages(migration);
            space.MigrateVmaFinalize(migration);
            foreach (Pfn page in all[..(512 - (N / 2))])
            {
                memory.ReleasePage(page);
            }
        }

        return memory;
    }

    private static void Give(MigrateVma migration, Pfn[] pages)
    {
        for (int i = 0; i < pages.Length; i++)
        {
            migration.Destination[i] = MigratePfn.Of(pages[i], migrating: false, writable: true);
        }
    }
}
