namespace HmmFast.Drivers.Mirror;

/// <summary>What the device may do through one entry of its mirror table.</summary>
public enum MirrorAccess : byte
{
    /// <summary>Read.</summary>
    Read,

    /// <summary>Read and write.</summary>
    Write,

    /// <summary>Held exclusively for atomics: readable, but neither counted as missing nor writable.</summary>
    Atomic,
}
