namespace HmmFast.Simulation.Traces;

/// <summary>A deliberately broken argument of a device operation.</summary>
public enum TraceBadArgument : byte
{
    /// <summary>Nothing is broken.</summary>
    None,

    /// <summary>npages0: zero pages.</summary>
    NoPages,

    /// <summary>unaligned: the address plus 8.</summary>
    Unaligned,

    /// <summary>badptr: the data pointer cannot be used.</summary>
    BadPointer,

    /// <summary>overflow: address plus size wraps.</summary>
    Overflow,
}
