using HmmFast.Policies;
using HmmFast.Reference;

namespace HmmFast.Tests.Policies;

/// <summary>A policy that answers Alias where none is offered is told so by name, by both implementations.</summary>
public sealed class AliasContractTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void RangeFault_PolicyAnswersAliasWhereNoneIsOffered_Throws(bool isReference)
    {
        var options = new MemorySystemOptions { SystemFrameCount = 64, Window = new VpnRange(new Vpn(0), 512) };
        using IMemorySystem memory = isReference ? new ReferenceMemorySystem(options) : new MemorySystem(options);
        DeviceId device = memory.AddDevice(new DeviceOptions { Name = "far", PageCount = 8, Owner = new OwnerId(1) });
        IAddressSpace space = memory.CreateAddressSpace();
        var range = new VpnRange(new Vpn(8), 2);
        space.Map(range, Protection.ReadWrite, MappingKind.PrivateAnonymous, FileId.None, 0);
        var migration = new MigrateVma(range, MigrateVmaFlags.SelectSystem, new OwnerId(1));
        Assert.Equal(HmmStatus.Ok, space.MigrateVmaSetup(migration));
        Assert.Equal(HmmStatus.Ok, memory.TryAllocateDevicePage(device, out Pfn page));
        migration.Destination[0] = MigratePfn.Of(page, migrating: true, writable: true);
        space.MigrateVmaPages(migration);
        space.MigrateVmaFinalize(migration);
        using IMmuIntervalNotifier notifier = space.InsertNotifier(range, null);
        var request = new HmmRange { Range = range, Notifier = notifier, NotifierSequence = notifier.ReadBegin(), Policy = new Hopeful() };
        InvalidOperationException thrown = Assert.Throws<InvalidOperationException>(() => space.RangeFault(request, new HmmPfn[2]));
        Assert.Contains("'hopeful'", thrown.Message, StringComparison.Ordinal);
        Assert.Contains($"device {device.Index}", thrown.Message, StringComparison.Ordinal);
    }

    private sealed class Hopeful : IHmmPolicy
    {
        public string Name => "hopeful";

        public ForeignPageAnswer Decide(in ForeignPageQuestion question) => ForeignPageAnswer.Alias();
    }
}
