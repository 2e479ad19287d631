namespace HmmFast;

/// <summary>How far a fault goes once one page of a piece (one VMA, one 2 MiB block, cut by the range) needs it.</summary>
/// <remarks>Source: rf_core.jsonl.gz, where pages behind an asked one are faulted along, and a driver's own pages there come back to system memory.</remarks>
public enum FaultHabit : byte
{
    /// <summary>As the recorded kernel: every later page of the piece is faulted with the same access, asked or not.</summary>
    RunForward,

    /// <summary>The alternative: only pages whose own request needs it are faulted.</summary>
    OnlyAsked,
}
