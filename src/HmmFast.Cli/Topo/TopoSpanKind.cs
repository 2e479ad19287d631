namespace HmmFast.Cli.Topo;

/// <summary>What a piece of a line is, so that text and picture can colour it their way.</summary>
public enum TopoSpanKind
{
    /// <summary>Plain words.</summary>
    Plain,

    /// <summary>An address.</summary>
    Address,

    /// <summary>A device's label.</summary>
    Device,

    /// <summary>Something that lets traffic pass.</summary>
    Good,

    /// <summary>Something that stops or redirects it.</summary>
    Bad,

    /// <summary>Something that is not known.</summary>
    Unknown,

    /// <summary>Something of less interest.</summary>
    Dim,
}
