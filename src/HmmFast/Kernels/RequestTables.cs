namespace HmmFast.Kernels;

/// <summary>
/// The decision tables of a call in which every page brings its own request: one table for each of no fault, read fault and write fault,
/// and the same three again for pages that carry one more request bit. Made once and refilled.
/// </summary>
public sealed class RequestTables
{
    /// <summary>Asked for nothing.</summary>
    public ByteTable None { get; } = new();

    /// <summary>Asked to be readable.</summary>
    public ByteTable Read { get; } = new();

    /// <summary>Asked to be writable.</summary>
    public ByteTable Write { get; } = new();

    /// <summary>As <see cref="None"/>, for pages with the allow bit.</summary>
    public ByteTable NoneAllowed { get; } = new();

    /// <summary>As <see cref="Read"/>, for pages with the allow bit.</summary>
    public ByteTable ReadAllowed { get; } = new();

    /// <summary>As <see cref="Write"/>, for pages with the allow bit.</summary>
    public ByteTable WriteAllowed { get; } = new();
}
