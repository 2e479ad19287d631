namespace HmmFast.Reference;

/// <summary>Makes anon_vmas, and the stamps that order the VMAs found from one.</summary>
internal sealed class AnonVmas
{
    private int _made;
    private ulong _stamp;

    public AnonVma Make(AnonVma? parent) => new(_made++, parent);

    public ulong NextStamp() => _stamp++;
}
