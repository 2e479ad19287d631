namespace HmmFast.Policies;

/// <summary>What one client reaches at one moment: immutable, so that whoever holds it sees one view of connectivity.</summary>
/// <remarks>Cost: an entry a device, copied when it is made; a look-up by device is one read, by alias frame a look at each device.</remarks>
public sealed class ClientReach
{
    private readonly ProviderReach[] _providers;

    /// <summary>Makes a snapshot.</summary>
    /// <param name="providers">One entry a device, by <see cref="DeviceId.Index"/>; copied.</param>
    public ClientReach(ReadOnlySpan<ProviderReach> providers)
    {
        _providers = providers.ToArray();
    }

    /// <summary>Reaches nothing.</summary>
    public static ClientReach Nothing { get; } = new([]);

    /// <summary>How a provider is reached; the default (not at all) for devices the snapshot does not speak of.</summary>
    /// <param name="provider">The pagemap.</param>
    public ProviderReach Of(DeviceId provider) =>
        (uint)provider.Index < (uint)_providers.Length ? _providers[provider.Index] : default;

    /// <summary>The provider whose alias window holds a frame.</summary>
    /// <param name="pfn">The frame.</param>
    /// <param name="provider">The provider whose window it is.</param>
    /// <returns>False when the frame lies in no alias window.</returns>
    public bool TryFindAlias(Pfn pfn, out DeviceId provider)
    {
        for (int index = 0; index < _providers.Length; index++)
        {
            if (_providers[index].Window is { } window && window.Contains(pfn))
            {
                provider = new DeviceId(index);
                return true;
            }
        }

        provider = default;
        return false;
    }
}
