namespace HmmFast.Drivers.Mirror;

/// <summary>What a snapshot says of one page, as the recorded test driver's byte.</summary>
[Flags]
public enum MirrorProtection : byte
{
    /// <summary>Nothing there now; a fault could bring it.</summary>
    None = 0,

    /// <summary>Readable.</summary>
    Read = 0x01,

    /// <summary>Readable and writable (the read bit is not set beside it).</summary>
    Write = 0x02,

    /// <summary>Mapped by a 2 MiB entry.</summary>
    Huge = 0x04,

    /// <summary>The shared zero page (not the huge one).</summary>
    ZeroPage = 0x10,

    /// <summary>Private memory of this device.</summary>
    PrivateLocal = 0x20,

    /// <summary>Private memory of another device.</summary>
    PrivateRemote = 0x30,

    /// <summary>Coherent memory of this device.</summary>
    CoherentLocal = 0x40,

    /// <summary>Coherent memory of another device.</summary>
    CoherentRemote = 0x50,

    /// <summary>Can never be given.</summary>
    Error = 0xFF,
}
