namespace HmmFast.Conformance.Tests.Traces;

/// <summary>The one thing an otherwise right implementation gets wrong.</summary>
public enum Lie
{
    /// <summary>Nothing: the decorator alone must change no answer.</summary>
    None,

    /// <summary>Range faults call every valid page writable.</summary>
    EverythingIsWritable,

    /// <summary>Range faults forget the mapping order.</summary>
    OrderIsZero,

    /// <summary>Range faults clear the words behind a failing page.</summary>
    WordsAfterAnErrorAreCleared,

    /// <summary>Range faults repeat by themselves instead of answering Busy.</summary>
    NeverBusy,

    /// <summary>Range faults touch only what was asked for.</summary>
    FaultsDoNotRunForward,

    /// <summary>Range faults take every owner for the NULL owner.</summary>
    NobodyOwnsPrivatePages,

    /// <summary>A CPU read gives the content of the page before.</summary>
    ContentIsShifted,

    /// <summary>mprotect over a hole succeeds.</summary>
    HolesAreProtected,

    /// <summary>Exclusive access counts pages it did not get.</summary>
    PartlyExclusiveIsEnough,

    /// <summary>Notifiers are never called.</summary>
    InvalidationsAreLost,

    /// <summary>The migration's owner is not carried to the notifiers.</summary>
    MigrationsHaveNoOwner,

    /// <summary>VMAs that could be merged are not.</summary>
    VmasAreNotMerged,

    /// <summary>The map count is one too high for shared frames.</summary>
    MapCountIsOneTooHigh,

    /// <summary>Every frame is called exclusively mapped.</summary>
    EverythingIsExclusive,

    /// <summary>Soft-dirty is never cleared.</summary>
    EverythingIsSoftDirty,

    /// <summary>The child is shown the parent's frames shifted by one.</summary>
    ChildHasOtherFrames,
}
