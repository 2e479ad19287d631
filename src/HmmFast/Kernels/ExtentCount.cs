namespace HmmFast.Kernels;

/// <summary>How far an extents call came.</summary>
/// <param name="Extents">Extents written.</param>
/// <param name="Pages">Pages they cover, from the start: the whole column, or up to the first page that needs work, or up to where the output was full.</param>
public readonly record struct ExtentCount(int Extents, int Pages);
