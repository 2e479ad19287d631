namespace HmmFast.Physical;

/// <summary>A device's memory (<c>struct dev_pagemap</c>): its frames, owner and driver.</summary>
internal sealed class Pagemap
{
    public Pagemap(int device, DeviceOptions options, FrameRange frames)
    {
        Device = device;
        Name = options.Name;
        Owner = options.Owner;
        Kind = options.Kind;
        Ops = options.Ops;
        Frames = frames;
    }

    public int Device { get; }

    public string Name { get; }

    public OwnerId Owner { get; set; }

    /// <summary>Unregistered: nothing can be taken from it any more.</summary>
    public bool IsRemoved { get; set; }

    public DeviceMemoryKind Kind { get; }

    public IDevicePagemapOps? Ops { get; }

    public FrameRange Frames { get; }
}
