namespace HmmFast.Topology;

/// <summary>A description that is no tree of PCI functions; the message names the function and what is wrong with it.</summary>
public sealed class PciTopologyException : Exception
{
    /// <summary>Reports a problem of the whole description.</summary>
    /// <param name="message">What is wrong, with the value and what would be right.</param>
    public PciTopologyException(string message)
        : base(message)
    {
    }

    /// <summary>Reports a problem at one function.</summary>
    /// <param name="address">The function.</param>
    /// <param name="message">What is wrong, with the value and what would be right.</param>
    public PciTopologyException(PciAddress address, string message)
        : base($"{address}: {message}") => Address = address;

    /// <summary>The function, where it is one function's problem.</summary>
    public PciAddress? Address { get; }
}
