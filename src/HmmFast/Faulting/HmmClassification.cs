namespace HmmFast.Faulting;

/// <summary>What a range fault would meet, in pages, looked at page by page (a hole or 2 MiB entry counts as all of its pages).</summary>
public record struct HmmClassification
{
    /// <summary>Answered with a frame as they stand.</summary>
    public long Valid { get; set; }

    /// <summary>Answered with ERROR, or EFAULT where they are asked for: no VMA, not readable, driver mappings.</summary>
    public long Error { get; set; }

    /// <summary>Not there, and not asked for.</summary>
    public long Empty { get; set; }

    /// <summary>To be faulted for reading.</summary>
    public long ReadFaults { get; set; }

    /// <summary>To be faulted for writing.</summary>
    public long WriteFaults { get; set; }

    /// <summary>Neither: in the middle of a migration, a marker, or a page a policy decides one by one.</summary>
    public long Special { get; set; }

    /// <summary>Pages that need work before they can be answered.</summary>
    public readonly long Work => ReadFaults + WriteFaults + Special;
}
