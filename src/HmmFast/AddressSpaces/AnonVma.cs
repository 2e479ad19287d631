namespace HmmFast.AddressSpaces;

/// <summary>An anon_vma: VMAs merge, and frames find the VMAs that may map them, only through it.</summary>
/// <param name="Number">Its number; the reverse map's object of anonymous frames.</param>
/// <param name="Parent">That of the VMA it was forked from: a child's VMA is found from its ancestors' pages too.</param>
internal sealed record AnonVma(uint Number, AnonVma? Parent)
{
    /// <summary>The oldest ancestor, from which everyone is found.</summary>
    public AnonVma Root => Parent is null ? this : Parent.Root;
}
