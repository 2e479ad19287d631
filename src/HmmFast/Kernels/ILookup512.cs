using System.Runtime.Intrinsics;

namespace HmmFast.Kernels;

/// <summary>A table look-up of 64 bytes in one register, for loops that need no memory between look-up and use.</summary>
/// <typeparam name="TSelf">The implementing struct, which holds the loaded table.</typeparam>
internal unsafe interface ILookup512<TSelf>
    where TSelf : struct, ILookup512<TSelf>
{
    /// <summary>Loads a table.</summary>
    static abstract TSelf Load(byte* entries, int rowCount);

    /// <summary>table[c] of every byte.</summary>
    Vector512<byte> Lookup(Vector512<byte> classes);
}
