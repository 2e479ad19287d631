namespace HmmFast.Properties.Equivalence;

/// <summary>What one step of a random sequence does.</summary>
public enum OperationKind
{
    Map,
    MapWindow,
    Unmap,
    Protect,
    DontNeed,
    Free,
    PageOut,
    HugePage,
    NoHugePage,
    Collapse,
    Remap,
    Fork,
    Exit,
    ClearSoftDirty,
    CpuRead,
    CpuWrite,
    RangeFault,
    RangeFaultPerPage,
    MigrateToDevice,
    MigrateToSystem,
    MakeExclusive,
    Pin,
    Unpin,
    DeviceWrite,
    MoveNotifier,
    MigrateAcross,
    Extents,
    Batch,
    Classify,
    Invalidate,
    Poison,
    InsertMixed,
    BeginMigration,
    MovePages,
    FinishMigration,
}

/// <summary>One step: a kind and raw numbers, which the world reads modulo what there is. Any numbers make a step, so shrinking never makes nonsense.</summary>
public sealed record Operation(OperationKind Kind, int Space, int Page, int Count, int A, int B)
{
    public override string ToString() => $"{Kind}(space {Space}, page {Page}, count {Count}, a {A}, b {B})";
}

/// <summary>A whole case: the shape of the world and the steps.</summary>
/// <param name="Shape">Bits that choose the window's size, frame counts and layout.</param>
/// <param name="Operations">The steps.</param>
public sealed record Script(int Shape, IReadOnlyList<Operation> Operations)
{
    public override string ToString() => $"shape {Shape}:\n  {string.Join("\n  ", Operations)}";
}
