using HmmFast.Properties.Equivalence;

namespace HmmFast.Tests.Properties;

/// <summary>Counterexamples that long runs of the random checks found, as they were shrunk: each once, at every width.</summary>
public sealed class FoundCaseTests
{
    public static TheoryData<string> Engines => [.. Subject.Engines.Select(engine => engine.Name)];

    /// <summary>Found at case 7,158 of <c>equivalence</c>, seed 20261128: pages freed lazily, moved to a device, and back by a write.</summary>
    [Theory]
    [MemberData(nameof(Engines))]
    public void PageOut_LazyPagesBackFromADevice_AnswersAlike(string engine) => Holds(engine, new Script(1525681895,
    [
        new(OperationKind.MapWindow, 0, 0, 0, 0, 0),
        new(OperationKind.MoveNotifier, 61458, 1005347, 1034939, 588616918, 291185328),
        new(OperationKind.Exit, 3311, 794010, 433714, 485678993, 931289782),
        new(OperationKind.CpuWrite, 43810, 994724, 395573, 569484860, 53458125),
        new(OperationKind.Free, 44137, 309736, 187333, 906583841, 290124443),
        new(OperationKind.MigrateAcross, 15022, 530809, 301858, 274225228, 96481757),
        new(OperationKind.CpuWrite, 42266, 76185, 711119, 36123450, 572892789),
        new(OperationKind.PageOut, 16972, 634631, 828390, 232641210, 837174440),
    ]));

    /// <summary>Found at case 7,849 of <c>equivalence-migration</c>, seed 20261128: the front of the range is unmapped between setup and pages.</summary>
    [Theory]
    [MemberData(nameof(Engines))]
    public void MigrateVmaPages_FrontUnmappedMeanwhile_AnswersAlike(string engine) => Holds(engine, new Script(608199428,
    [
        new(OperationKind.Map, 0, 0, 90, 2, 3),
        new(OperationKind.CpuWrite, 0, 0, 90, 0, 0),
        new(OperationKind.BeginMigration, 0, 0, 90, 0, 2),
        new(OperationKind.Exit, 27779, 627351, 519465, 1060021489, 651440117),
        new(OperationKind.Unmap, 43177, 527810, 718520, 688176253, 657679603),
        new(OperationKind.MovePages, 33733, 52632, 598765, 926033798, 351292923),
    ]));

    private static void Holds(string engine, Script script)
    {
        Subject subject = Subject.Engines.Single(one => one.Name == engine);
        string? difference = Twin.FirstDifference(script, Subject.Reference.Make, subject.Make);
        Assert.True(difference is null, $"{difference}\n{script}");
    }
}
