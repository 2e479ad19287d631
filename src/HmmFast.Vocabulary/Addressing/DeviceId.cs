namespace HmmFast;

/// <summary>A device that brought a pagemap, by order of registration.</summary>
/// <param name="Index">0 for the first device.</param>
public readonly record struct DeviceId(int Index);
