namespace HmmFast.AddressSpaces;

/// <summary>What a migration's notes hold between migrate_vma_pages and migrate_vma_finalize: that it went so far, and in which address space.</summary>
internal sealed class MigrationMark;
