namespace HmmFast;

/// <summary>What a caller asks of a page: the request half of an <see cref="HmmPfn"/>, without its bit positions.</summary>
[Flags]
public enum HmmRequestFlags : byte
{
    /// <summary>Tell what is there, change nothing.</summary>
    None = 0,

    /// <summary>HMM_PFN_REQ_FAULT: bring the page if it is not there.</summary>
    Fault = 1,

    /// <summary>HMM_PFN_REQ_WRITE: bring it writable. Means something only together with <see cref="Fault"/>.</summary>
    Write = 2,

    /// <summary>The proposed HMM_PFN_ALLOW_P2P: a P2P alias may be handed out. Needs a layout that has the bit.</summary>
    AllowP2p = 4,

    /// <summary>Every request flag: as a mask, all per-page request flags count.</summary>
    All = Fault | Write | AllowP2p,
}
