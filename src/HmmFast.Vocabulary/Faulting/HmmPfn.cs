using System.Runtime.InteropServices;

namespace HmmFast;

/// <summary>One entry of a range fault's array, 64 bits: the request going in, pfn and flags coming out.</summary>
/// <remarks>The bits mean something only under an <see cref="HmmPfnLayout"/>. 0 as output: not there now, a fault could bring it. ERROR: no page can ever be given. VALID:
/// readable; WRITE comes only with VALID. Source: the words of rf_core.jsonl.gz and rf_script_small.jsonl.gz, bit for bit under <see cref="HmmPfnLayout.Linux612"/>.</remarks>
/// <param name="Raw">The word.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct HmmPfn(ulong Raw)
{
    /// <inheritdoc/>
    public override string ToString() => $"0x{Raw:x16}";
}
