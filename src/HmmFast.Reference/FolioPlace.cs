namespace HmmFast.Reference;

/// <summary>A part of a VMA where pages of one folio may be mapped.</summary>
/// <param name="Space">The address space.</param>
/// <param name="Vma">The VMA.</param>
/// <param name="Start">The first virtual page that could map one of the folio's.</param>
/// <param name="End">The page after the last.</param>
internal readonly record struct FolioPlace(ReferenceAddressSpace Space, Vma Vma, ulong Start, ulong End);
