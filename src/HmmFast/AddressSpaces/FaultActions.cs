namespace HmmFast.AddressSpaces;

/// <summary>What a fault in private anonymous memory does to an entry of a class, as far as it can be done to many pages in one loop.</summary>
internal enum FaultAction : byte
{
    /// <summary>Nothing but to be counted, where it counts.</summary>
    Nothing,

    /// <summary>An empty entry gets the zero page or a new frame.</summary>
    Fill,

    /// <summary>A zero page is copied.</summary>
    CopyZero,

    /// <summary>A private page of a device comes back.</summary>
    BringBack,

    /// <summary>Anything else: page by page.</summary>
    Other,
}

/// <summary>The actions of every class for one access, rebuilt when classes are added.</summary>
internal sealed class FaultActions
{
    private readonly FaultAction[] _actions = new FaultAction[PageClassTable.Capacity];
    private int _classCount;

    /// <summary>The actions by class.</summary>
    /// <param name="classes">The classes.</param>
    /// <param name="write">The access.</param>
    /// <param name="isTaken">True where a fault is taken whatever the entry, as a range fault does; false for the CPU, which faults only where it must.</param>
    public ReadOnlySpan<FaultAction> Of(PageClassTable classes, bool write, bool isTaken)
    {
        for (; _classCount < classes.Count; _classCount++)
        {
            _actions[_classCount] = ActionOf(classes[(byte)_classCount], write, isTaken);
        }

        return _actions;
    }

    private static FaultAction ActionOf(PageClass pageClass, bool write, bool isTaken)
    {
        switch (pageClass.Kind)
        {
            case PageEntryKind.None:
                return FaultAction.Fill;
            case PageEntryKind.Present when !write:
                return FaultAction.Nothing;
            case PageEntryKind.Present when pageClass.IsWritable && (!isTaken || (pageClass.IsDirty && pageClass.IsSoftDirty)):
                return FaultAction.Nothing;
            case PageEntryKind.Present when pageClass.IsZero:
                return FaultAction.CopyZero;
            case PageEntryKind.DevicePrivate when !write || pageClass.IsWritable:
                return FaultAction.BringBack;
            default:
                return FaultAction.Other;
        }
    }
}
