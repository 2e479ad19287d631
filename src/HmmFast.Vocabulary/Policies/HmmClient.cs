namespace HmmFast.Policies;

/// <summary>An importer: a device that range-faults memory, with or without a pagemap of its own.</summary>
/// <remarks>
/// A call reads <see cref="Reach"/> once, at its start, so that a link that changes meanwhile is seen by all of its pages or by none.
/// Whoever replaces it must then invalidate what the old one let through: the notifier sequence turns away results that rest on it.
/// </remarks>
public sealed class HmmClient
{
    private ClientReach _reach = ClientReach.Nothing;

    /// <summary>Makes a client that reaches nothing yet.</summary>
    /// <param name="name">For people.</param>
    public HmmClient(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Name = name;
    }

    /// <summary>For people.</summary>
    public string Name { get; }

    /// <summary>What it reaches now.</summary>
    public ClientReach Reach
    {
        get => Volatile.Read(ref _reach);
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            Volatile.Write(ref _reach, value);
        }
    }

    /// <inheritdoc/>
    public override string ToString() => Name;
}
