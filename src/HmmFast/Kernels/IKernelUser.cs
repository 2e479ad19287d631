namespace HmmFast.Kernels;

/// <summary>Something that was made with a kernel set of its own, so that rooms which are handed it can run at the same width.</summary>
internal interface IKernelUser
{
    /// <summary>The vector loops in use.</summary>
    KernelSet Kernels { get; }
}
