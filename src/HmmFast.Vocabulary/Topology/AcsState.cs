namespace HmmFast.Topology;

/// <summary>
/// What is known of a function's Access Control Services: nothing, that it has none, or its capability and control bits.
/// </summary>
/// <remarks>The default value is <see cref="Unknown"/>: what a text does not say stays unknown, and is never taken for "off".</remarks>
public readonly record struct AcsState
{
    private readonly byte _knowledge;

    private AcsState(byte knowledge, AcsControl capability, AcsControl control)
    {
        _knowledge = knowledge;
        Capability = capability;
        Control = control;
    }

    /// <summary>Nothing is known.</summary>
    public static AcsState Unknown => default;

    /// <summary>The function is known to have no ACS capability, so it never redirects.</summary>
    public static AcsState Absent => new(1, AcsControl.None, AcsControl.None);

    /// <summary>Whether anything is known.</summary>
    public bool IsKnown => _knowledge != 0;

    /// <summary>Whether the function is known to have the capability.</summary>
    public bool IsPresent => _knowledge == 2;

    /// <summary>The bits the function can do; none when absent or unknown.</summary>
    public AcsControl Capability { get; }

    /// <summary>The bits that are on; none when absent or unknown.</summary>
    public AcsControl Control { get; }

    /// <summary>The bits that are on and redirect peer traffic (RR, CR, EC).</summary>
    public AcsControl RedirectingBits => Control & AcsControl.Redirecting;

    /// <summary>A function with the capability.</summary>
    /// <param name="capability">The capability register's bits.</param>
    /// <param name="control">The control register's bits, as read back.</param>
    /// <returns>The state.</returns>
    public static AcsState Present(AcsControl capability, AcsControl control) => new(2, capability, control);

    /// <summary>The state as text: <c>unknown</c>, <c>none</c> or the bits that are on, like <c>RR+CR</c> (<c>off</c> when none is).</summary>
    /// <returns>The text.</returns>
    public override string ToString() => _knowledge switch
    {
        0 => "unknown",
        1 => "none",
        _ => BitNames(Control),
    };

    /// <summary>The short names of ACS bits, as lspci writes them, joined with +; <c>off</c> when there is none.</summary>
    /// <param name="bits">The bits.</param>
    /// <returns>The text.</returns>
    public static string BitNames(AcsControl bits)
    {
        ReadOnlySpan<string> names = ["SV", "TB", "RR", "CR", "UF", "EC", "DT"];
        string text = "";
        for (int bit = 0; bit < names.Length; bit++)
        {
            if (((int)bits & (1 << bit)) != 0)
            {
                text += text.Length == 0 ? names[bit] : "+" + names[bit];
            }
        }

        return text.Length == 0 ? "off" : text;
    }
}
