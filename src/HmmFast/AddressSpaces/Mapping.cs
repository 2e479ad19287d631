namespace HmmFast.AddressSpaces;

/// <summary>One page table entry that holds a frame, as the reverse map finds it.</summary>
internal readonly record struct Mapping(AddressSpace Space, Vma Vma, ulong Vpn);
