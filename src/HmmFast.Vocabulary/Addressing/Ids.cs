namespace HmmFast;

/// <summary>Who owns a pagemap: the kernel's <c>dev_pagemap.owner</c> as a number. Two pagemaps with equal owners reach each other's private pages.</summary>
/// <param name="Value">The number; 0 is the NULL owner, which matches nothing that has an owner.</param>
public readonly record struct OwnerId(uint Value)
{
    /// <summary>The NULL owner.</summary>
    public static readonly OwnerId Null;
}

/// <summary>A device that brought a pagemap, by order of registration.</summary>
/// <param name="Index">0 for the first device.</param>
public readonly record struct DeviceId(int Index);

/// <summary>A file, memfd or other object that shared pages come from, by order of creation.</summary>
/// <param name="Index">0 for the first file; <see cref="None"/> where there is none.</param>
public readonly record struct FileId(int Index)
{
    /// <summary>No file.</summary>
    public static readonly FileId None = new(-1);
}
