namespace HmmFast.Tests.Engine;

/// <summary>Page states are a byte: at most 256 of them.</summary>
public sealed class PageClassTests
{
    [Fact]
    public void TryAllocateDevicePage_OneDeviceTooManyForTheClasses_ThrowsAndNothingChanges()
    {
        using EngineWorld world = new();
        world.Map(0, 200);
        world.Write(0, 200);
        int used = 0;
        InvalidOperationException? refused = null;
        for (int i = 0; i < 100 && refused is null; i++)
        {
            DeviceId device = world.Memory.AddDevice(new DeviceOptions { Name = $"device {i}", PageCount = 8, Owner = new OwnerId((uint)i + 10) });
            try
            {
                Assert.Equal(1, world.MigrateToDevice(device, (ulong)i, 1));
                used++;
            }
            catch (InvalidOperationException full)
            {
                refused = full;
                Assert.Equal(8UL, world.Memory.FreeDevicePageCount(device));
            }
        }

        Assert.NotNull(refused);
        Assert.Contains("classes", refused.Message, StringComparison.Ordinal);
        Assert.InRange(used, 20, 42);
        Assert.InRange(world.Memory.PageClassCount, 1, 256);
        for (ulong page = 0; page < (ulong)used; page++)
        {
            Assert.Equal(PageEntryKind.DevicePrivate, world.Observe(page).Kind);
        }
    }

    [Fact]
    public void PageClassCount_EveryOrdinaryState_StaysFarBelowTheBound()
    {
        using EngineWorld world = new();
        world.Map(0, 1024);
        world.Space.Advise(EngineWorld.Pages(0, 512), Advice.HugePage);
        world.Write(0, 1024);
        world.MigrateToDevice(world.Gpu0, 600, 20);
        world.Space.Advise(EngineWorld.Pages(700, 20), Advice.PageOut);
        world.Space.Advise(EngineWorld.Pages(720, 20), Advice.Free);
        world.Space.MakeDeviceExclusive(EngineWorld.Pages(740, 4), EngineWorld.Owner0, new Pfn[4], out _);
        using (IAddressSpace child = world.Space.Fork())
        {
            child.CpuWrite(EngineWorld.Pages(0, 1024), 1, 1, default);
        }

        world.Space.ClearSoftDirty();
        world.Space.Protect(EngineWorld.Pages(0, 1024), Protection.Read);
        world.Space.Protect(EngineWorld.Pages(0, 1024), Protection.ReadWrite);
        world.Write(0, 1024);
        Assert.InRange(world.Memory.PageClassCount, 10, 90);
    }
}
