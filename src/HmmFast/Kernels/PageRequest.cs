namespace HmmFast.Kernels;

/// <summary>How a page's request is made from its word: <c>(word &amp; Mask) | Default</c>, where bit 63 asks for a fault and bit 62, beside it, for write.</summary>
/// <param name="Mask">Bits taken from the word.</param>
/// <param name="Default">Bits every page has.</param>
/// <param name="AllowBit">Bit (7..63) that selects the second three tables; 0: there is no such bit.</param>
public readonly record struct PageRequest(ulong Mask, ulong Default, int AllowBit = 0);
