using HmmFast.Reference;

namespace HmmFast.Tests.Engine;

/// <summary>Drivers that do not keep to migrate_vma's order or hand in wrong pages are told so, before anything moves.</summary>
public sealed class MigrationMisuseTests
{
    private const int PageCount = 40;
    private static readonly VpnRange All = new(new Vpn(600), PageCount);
    private static readonly OwnerId Owner = new(5);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Calls_OutOfOrder_Throw(bool isReference)
    {
        using IMemorySystem memory = Make(isReference, out IAddressSpace space, out Pfn[] pages);
        MigrateVma migration = new(All, MigrateVmaFlags.SelectSystem, Owner);
        Assert.Throws<InvalidOperationException>(() => space.MigrateVmaPages(migration));
        Assert.Throws<InvalidOperationException>(() => space.MigrateVmaFinalize(migration));
        Assert.Equal(HmmStatus.Ok, space.MigrateVmaSetup(migration));
        Assert.Throws<InvalidOperationException>(() => space.MigrateVmaSetup(migration));
        Assert.Throws<InvalidOperationException>(() => space.MigrateVmaFinalize(migration));
        Give(migration, pages);
        using IAddressSpace other = memory.CreateAddressSpace();
        Assert.Throws<InvalidOperationException>(() => other.MigrateVmaPages(migration));
        space.MigrateVmaPages(migration);
        Assert.Throws<InvalidOperationException>(() => space.MigrateVmaPages(migration));
        space.MigrateVmaFinalize(migration);
        Assert.Throws<InvalidOperationException>(() => space.MigrateVmaFinalize(migration));
        Assert.Equal(HmmStatus.Ok, space.MigrateVmaSetup(migration));
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(false, 25)]
    [InlineData(true, 0)]
    [InlineData(true, 25)]
    public void Pages_DestinationNotJustTaken_ThrowsAndMovesNothing(bool isReference, int index)
    {
        using IMemorySystem memory = Make(isReference, out IAddressSpace space, out Pfn[] pages);
        MigrateVma migration = new(All, MigrateVmaFlags.SelectSystem, Owner);
        Assert.Equal(HmmStatus.Ok, space.MigrateVmaSetup(migration));
        Give(migration, pages);
        MigratePfn good = migration.Destination[index];
        memory.ReleasePage(pages[^1]);
        foreach (Pfn wrong in (Pfn[])[new Pfn(0xFFFF_FFFF0), new Pfn(0), migration.Source[3].Pfn, pages[^1]])
        {
            migration.Destination[index] = MigratePfn.Of(wrong, migrating: true, writable: true);
            Assert.Throws<ArgumentException>(() => space.MigrateVmaPages(migration));
        }

        migration.Destination[index] = good;
        memory.Pin(good.Pfn);
        Assert.Throws<ArgumentException>(() => space.MigrateVmaPages(migration));
        memory.Unpin(good.Pfn);
        Assert.Equal(0UL, memory.Counters.PagesMigratedToDevice);
        space.MigrateVmaPages(migration);
        space.MigrateVmaFinalize(migration);
        Assert.Equal((ulong)PageCount, memory.Counters.PagesMigratedToDevice);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Pages_SourceThatIsNotAsSetupLeftIt_Throws(bool isReference)
    {
        using IMemorySystem memory = Make(isReference, out IAddressSpace space, out Pfn[] pages);
        MigrateVma migration = new(All, MigrateVmaFlags.SelectSystem, Owner);
        Assert.Equal(HmmStatus.Ok, space.MigrateVmaSetup(migration));
        Give(migration, pages);
        MigratePfn source = migration.Source[30];
        migration.Source[30] = MigratePfn.Of(new Pfn(0xFFFF_FFFF0), migrating: true, writable: true);
        Assert.Throws<InvalidOperationException>(() => space.MigrateVmaPages(migration));
        migration.Source[30] = source;
        space.Unmap(new VpnRange(All.Start + 30, 1));
        Assert.ThrowsAny<InvalidOperationException>(() => space.MigrateVmaPages(migration));
        Assert.Equal(0UL, memory.Counters.PagesMigratedToDevice);
    }

    [Theory]
    [InlineData(9)]
    [InlineData(30)]
    public void Pages_OneDestinationTwice_Throws(int second)
    {
        using IMemorySystem memory = Make(isReference: false, out IAddressSpace space, out Pfn[] pages);
        MigrateVma migration = new(All, MigrateVmaFlags.SelectSystem, Owner);
        Assert.Equal(HmmStatus.Ok, space.MigrateVmaSetup(migration));
        Give(migration, pages);
        migration.Destination[second] = migration.Destination[2];
        Assert.Throws<InvalidOperationException>(() => space.MigrateVmaPages(migration));
    }

    private static IMemorySystem Make(bool isReference, out IAddressSpace space, out Pfn[] pages)
    {
        var options = new MemorySystemOptions { SystemFrameCount = 256, SwapSlotCount = 8, Window = new VpnRange(new Vpn(512), 512) };
        IMemorySystem memory = isReference ? new ReferenceMemorySystem(options) : new MemorySystem(options);
        DeviceId device = memory.AddDevice(new DeviceOptions { Name = "far", PageCount = 128, Owner = Owner });
        space = memory.CreateAddressSpace();
        space.Map(All, Protection.ReadWrite, MappingKind.PrivateAnonymous, FileId.None, 0);
        space.CpuWrite(All, 1, 1, default);
        pages = new Pfn[PageCount + 1];
        Assert.Equal(pages.Length, memory.AllocateDevicePages(device, pages));
        return memory;
    }

    private static void Give(MigrateVma migration, Pfn[] pages)
    {
        for (int i = 0; i < PageCount; i++)
        {
            migration.Destination[i] = MigratePfn.Of(pages[i], migrating: true, writable: true);
        }
    }
}
