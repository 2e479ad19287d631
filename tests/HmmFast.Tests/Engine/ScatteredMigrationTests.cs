using HmmFast.Reference;

namespace HmmFast.Tests.Engine;

/// <summary>Migrations whose frames are in no order leave what the reference leaves: pages, frames, source entries, contents and counters.</summary>
public sealed class ScatteredMigrationTests
{
    private const int PageCount = 1500;
    private static readonly OwnerId Owner = new(3);
    private static readonly VpnRange All = new(new Vpn(100), PageCount);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Migrate_ShuffledPagesThereAndBack_EqualsTheReference(int seed)
    {
        var options = new MemorySystemOptions { SystemFrameCount = PageCount * 3, SwapSlotCount = 64, Window = new VpnRange(new Vpn(0), 4096), TrackContent = true };
        using IMemorySystem fast = new MemorySystem(options);
        using IMemorySystem reference = new ReferenceMemorySystem(options);
        Assert.Equal(Story(reference, seed), Story(fast, seed));
    }

    [Fact]
    public void Touch_ShuffledDevicePagesWithTooFewFrames_BringsBackWhatFits()
    {
        var options = new MemorySystemOptions { SystemFrameCount = PageCount, SwapSlotCount = 64, Window = new VpnRange(new Vpn(0), 4096), TrackContent = true };
        using IMemorySystem fast = new MemorySystem(options);
        using IMemorySystem reference = new ReferenceMemorySystem(options);
        Assert.Equal(TightStory(reference), TightStory(fast));
    }

    /// <summary>Pages go to a device in shuffled order, some back in shuffled order, the rest by the CPU's touch. Some are shared, some pinned, some not given a place.</summary>
    private static List<string> Story(IMemorySystem memory, int seed)
    {
        var random = new Random(seed);
        var lines = new List<string>();
        DeviceId device = memory.AddDevice(new DeviceOptions { Name = "far", PageCount = 4096, Owner = Owner });
        IAddressSpace space = memory.CreateAddressSpace();
        space.Map(All, Protection.ReadWrite, MappingKind.PrivateAnonymous, FileId.None, 0);
        space.CpuWrite(All, 1000, 1, default);
        using IAddressSpace child = space.Fork();
        space.CpuWrite(new VpnRange(All.Start, 700), 5000, 1, default);
        space.CpuWrite(new VpnRange(All.Start + 720, 700), 9000, 1, default);
        var seen = new PageObservation[1];
        space.Observe(new VpnRange(All.Start + 44, 1), seen);
        Pfn pinned = seen[0].Frame;
        memory.Pin(pinned);
        Migrate(memory, space, device, random, All, MigrateVmaFlags.SelectSystem, lines);
        Describe(memory, space, child, lines);
        Migrate(memory, space, null, random, new VpnRange(All.Start + 30, 600), MigrateVmaFlags.SelectDevicePrivate, lines);
        Describe(memory, space, child, lines);
        memory.Unpin(pinned);
        var results = new CpuAccessResult[PageCount];
        lines.Add($"{space.CpuRead(All, default, results)} {string.Join(',', results)}");
        Describe(memory, space, child, lines);

        // From system memory to system memory, both without order by now.
        Migrate(memory, space, null, random, All, MigrateVmaFlags.SelectSystem, lines);
        Describe(memory, space, child, lines);
        space.Unmap(All);
        lines.Add($"{memory.FreeSystemFrameCount} {memory.FreeDevicePageCount(device)}");
        return lines;
    }

    private static List<string> TightStory(IMemorySystem memory)
    {
        var lines = new List<string>();
        DeviceId device = memory.AddDevice(new DeviceOptions { Name = "far", PageCount = 4096, Owner = Owner });
        IAddressSpace space = memory.CreateAddressSpace();
        space.Map(All, Protection.ReadWrite, MappingKind.PrivateAnonymous, FileId.None, 0);
        space.CpuWrite(All, 1000, 1, default);
        Migrate(memory, space, device, new Random(5), All, MigrateVmaFlags.SelectSystem, lines);

        // All but 333 frames go to something else.
        var other = new VpnRange(new Vpn(2000), PageCount - 333);
        space.Map(other, Protection.ReadWrite, MappingKind.PrivateAnonymous, FileId.None, 0);
        space.CpuWrite(other, 1, 1, default);
        var results = new CpuAccessResult[PageCount];
        lines.Add($"{space.CpuRead(All, default, results)} {string.Join(',', results)}");
        Assert.Contains(CpuAccessResult.OutOfMemory, results);
        Describe(memory, space, space, lines);
        return lines;
    }

    private static void Migrate(IMemorySystem memory, IAddressSpace space, DeviceId? device, Random random, VpnRange range, MigrateVmaFlags flags, List<string> lines)
    {
        var migration = new MigrateVma(range, flags, Owner);
        Assert.Equal(HmmStatus.Ok, space.MigrateVmaSetup(migration));
        Assert.True(migration.CollectedPageCount > 500, $"{migration.CollectedPageCount} pages were collected.");
        lines.Add($"{migration.CollectedPageCount} {string.Join(',', migration.Source)}");
        var places = new List<int>();
        var pages = new List<Pfn>();
        for (int i = 0; i < migration.Source.Length; i++)
        {
            // A few get no place.
            if (migration.Source[i].IsMigrating && i % 97 != 96)
            {
                HmmStatus status = device is { } to ? memory.TryAllocateDevicePage(to, out Pfn page) : memory.TryAllocateSystemPage(out page);
                Assert.Equal(HmmStatus.Ok, status);
                places.Add(i);
                pages.Add(page);
            }
        }

        // A stretch in the middle stays in order.
        Pfn[] shuffled = [.. pages];
        random.Shuffle(shuffled.AsSpan(0, shuffled.Length / 2));
        random.Shuffle(shuffled.AsSpan((shuffled.Length / 2) + 100));
        for (int i = 0; i < places.Count; i++)
        {
            MigratePfn source = migration.Source[places[i]];
            memory.WriteContent(shuffled[i], source.IsValid ? memory.ReadContent(source.Pfn) : 0);
            migration.Destination[places[i]] = MigratePfn.Of(shuffled[i], migrating: true, writable: true);
        }

        space.MigrateVmaPages(migration);
        lines.Add(string.Join(',', migration.Source));
        space.MigrateVmaFinalize(migration);
    }

    private static void Describe(IMemorySystem memory, IAddressSpace space, IAddressSpace child, List<string> lines)
    {
        var pages = new PageObservation[PageCount];
        foreach (IAddressSpace each in new[] { space, child })
        {
            each.Observe(All, pages);
            foreach (PageObservation page in pages)
            {
                lines.Add($"{page} {(page.Frame == Pfn.None ? default : memory.ObserveFrame(page.Frame))}");
            }
        }

        lines.Add(memory.Counters.ToString());
        lines.Add($"{memory.FreeSystemFrameCount}");
    }
}
