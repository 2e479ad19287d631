namespace HmmFast;

/// <summary>What stands behind a file mapping.</summary>
public enum FileKind : byte
{
    /// <summary>tmpfs or memfd: pages are swap-backed, and shared mappings get writable entries at once.</summary>
    Memfd,

    /// <summary>A disk file system's page cache: shared entries stay read-only until written (write-notify).</summary>
    Disk,
}
