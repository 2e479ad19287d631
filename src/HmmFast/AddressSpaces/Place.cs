namespace HmmFast.AddressSpaces;

/// <summary>A part of a VMA where pages of one folio may be mapped, as a walk of the reverse map finds it.</summary>
/// <param name="Space">The address space.</param>
/// <param name="Vma">The VMA.</param>
/// <param name="Start">The first page that could map one of the folio's.</param>
/// <param name="End">The page after the last.</param>
/// <param name="Offset">The folio's page that <paramref name="Start"/> could map.</param>
internal readonly record struct Place(AddressSpace Space, Vma Vma, ulong Start, ulong End, uint Offset);
