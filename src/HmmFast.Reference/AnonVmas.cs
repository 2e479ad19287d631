namespace HmmFast.Reference;

/// <summary>Makes anon_vmas, and the stamps that order the VMAs found from one.</summary>
internal sealed class AnonVmas
{
    private int made;
    private ulong stamp;

    public AnonVma Make(AnonVma? parent) => new(made++, parent);

    public ulong NextStamp() => stamp++;
}
