namespace HmmFast.Tests.Reference;

/// <summary>PFNMAP and IO: no struct pages, so nothing of HMM's works there.</summary>
public sealed class DriverMappingTests
{
    [Theory]
    [InlineData(MappingKind.DriverPfn)]
    [InlineData(MappingKind.DriverIo)]
    public void RangeFault_NoStructPages_IsErrorOrFault(MappingKind kind)
    {
        using ReferenceMachine machine = new();
        machine.MapAnonymous(0, 2);
        Assert.Equal(HmmStatus.Ok, machine.Space.Map(ReferenceMachine.Pages(2, 2), Protection.ReadWrite, kind, FileId.None, 0));
        Assert.Equal(HmmStatus.Ok, machine.Fault(0, 4, HmmRequestFlags.None, default, FaultHabit.RunForward, out HmmPfn[] words));
        HmmPfnLayout layout = machine.Memory.Options.Layout;
        Assert.Equal([0, 0, layout.ErrorBit, layout.ErrorBit], words.Select(static word => word.Raw));
        Assert.Equal(HmmStatus.Fault, machine.Fault(0, 4, HmmRequestFlags.Fault, default, FaultHabit.RunForward, out words));
        Assert.True(layout.IsValid(words[0]));
        Assert.Equal(0ul, words[2].Raw);
    }

    [Theory]
    [InlineData(MappingKind.DriverPfn)]
    [InlineData(MappingKind.DriverIo)]
    public void Calls_NoStructPages_AreRefused(MappingKind kind)
    {
        using ReferenceMachine machine = new();
        VpnRange range = ReferenceMachine.Pages(0, 2);
        machine.Space.Map(range, Protection.ReadWrite, kind, FileId.None, 0);
        Assert.Equal(HmmStatus.Invalid, machine.Space.MigrateVmaSetup(new MigrateVma(range, MigrateVmaFlags.SelectSystem, ReferenceMachine.Owner)));
        Assert.Equal(HmmStatus.Fault, machine.Space.MakeDeviceExclusive(range, ReferenceMachine.Owner, new Pfn[2], out _));
        Assert.Equal(HmmStatus.Invalid, machine.Space.Advise(range, Advice.DontNeed));
        Assert.Equal(HmmStatus.Invalid, machine.Space.Advise(range, Advice.Free));
        Assert.Equal(HmmStatus.Invalid, machine.Space.Advise(range, Advice.PageOut));
        Assert.Equal(CpuAccessResult.SigBus, machine.Read(0, out _));
        using IAddressSpace child = machine.Space.Fork();
        Assert.Equal(kind, Assert.Single(child.Vmas).Kind);
    }

    [Fact]
    public void Map_NextToAnother_IsNeverJoined()
    {
        using ReferenceMachine machine = new();
        machine.Space.Map(ReferenceMachine.Pages(0, 2), Protection.Read, MappingKind.DriverPfn, FileId.None, 0);
        machine.Space.Map(ReferenceMachine.Pages(2, 2), Protection.Read, MappingKind.DriverPfn, FileId.None, 2);
        Assert.Equal(2, machine.Space.Vmas.Count);
    }
}
