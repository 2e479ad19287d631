namespace HmmFast.Topology;

/// <summary>
/// Answers whether one PCI function may reach another's memory, as <c>pci_p2pdma_distance_many</c> does. The engine and the
/// reference both answer it, so that a replay can ask either.
/// </summary>
public interface IP2PdmaDistance
{
    /// <summary>The answer for one ordered pair of functions of the tree.</summary>
    /// <param name="provider">The function whose memory it is.</param>
    /// <param name="client">The function that reads or writes it.</param>
    /// <returns>Map type and hops.</returns>
    /// <exception cref="ArgumentException">An address is not in the tree.</exception>
    P2PdmaAnswer Answer(PciAddress provider, PciAddress client);
}
