using HmmFast.Kernels;

namespace HmmFast.AddressSpaces;

/// <summary>What a fault in private anonymous memory does to an entry of a class, as far as it can be done to many pages in one loop. Each is a bit, so that kernels can mark them.</summary>
[Flags]
internal enum FaultAction : byte
{
    /// <summary>Nothing but to be counted, where it counts.</summary>
    Nothing = 0,

    /// <summary>An empty entry gets the zero page or a new frame.</summary>
    Fill = 1,

    /// <summary>A zero page is copied.</summary>
    CopyZero = 2,

    /// <summary>A private page of a device comes back.</summary>
    BringBack = 4,

    /// <summary>The processor marks the entry dirty; no fault.</summary>
    Touch = 8,

    /// <summary>Anything else: page by page.</summary>
    Other = 16,

    /// <summary>All that a loop must look at.</summary>
    Any = Fill | CopyZero | BringBack | Touch | Other,

    /// <summary>Those that send an invalidation.</summary>
    Told = CopyZero | BringBack,
}

/// <summary>The actions of every class for one access, refilled when classes are added.</summary>
/// <param name="write">The access.</param>
/// <param name="isTaken">True where a fault is taken whatever the entry, as a range fault does; false for the CPU, which faults only where it must.</param>
internal sealed class FaultActions(bool write, bool isTaken)
{
    private readonly ByteTable _table = new();
    private int _classCount;

    /// <summary>The actions by class.</summary>
    public ByteTable Of(PageClassTable classes)
    {
        if (_classCount != classes.Count)
        {
            _classCount = classes.Count;
            Span<byte> actions = stackalloc byte[PageClassTable.Capacity];
            for (int id = 0; id < _classCount; id++)
            {
                actions[id] = (byte)ActionOf(classes[(byte)id]);
            }

            _table.Set(actions[.._classCount]);
        }

        return _table;
    }

    private FaultAction ActionOf(PageClass pageClass)
    {
        switch (pageClass.Kind)
        {
            case PageEntryKind.None:
                return FaultAction.Fill;
            case PageEntryKind.Present when !write:
                return FaultAction.Nothing;
            case PageEntryKind.Present when pageClass.IsWritable && isTaken:
                return pageClass.IsDirty && pageClass.IsSoftDirty ? FaultAction.Nothing : FaultAction.Other;
            case PageEntryKind.Present when pageClass.IsWritable:
                return pageClass.IsDirty ? FaultAction.Nothing : FaultAction.Touch;
            case PageEntryKind.Present when pageClass.IsZero:
                return FaultAction.CopyZero;
            case PageEntryKind.DevicePrivate when !write || pageClass.IsWritable:
                return FaultAction.BringBack;
            default:
                return FaultAction.Other;
        }
    }
}
