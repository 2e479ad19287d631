namespace HmmFast.Memory;

/// <summary>What the operating system is told about 2 MiB pages for a reserved range.</summary>
public enum HugePagePolicy
{
    /// <summary>Never back the range with huge pages. For sparse windows: one touched byte must not cost 2 MiB.</summary>
    Never,

    /// <summary>Leave the choice to the system's own setting.</summary>
    SystemDefault,

    /// <summary>Ask for huge pages over the whole range. For columns that are filled end to end.</summary>
    Prefer,
}
