namespace HmmFast;

/// <summary>Who owns a pagemap: the kernel's <c>dev_pagemap.owner</c> as a number. Two pagemaps with equal owners reach each other's private pages.</summary>
/// <param name="Value">The number; 0 is the NULL owner, which matches nothing that has an owner.</param>
public readonly record struct OwnerId(uint Value)
{
    /// <summary>The NULL owner.</summary>
    public static readonly OwnerId Null;
}
