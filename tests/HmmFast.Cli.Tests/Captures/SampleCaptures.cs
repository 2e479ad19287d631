using HmmFast.Simulation.Captures;
using HmmFast.Simulation.Scenarios;

namespace HmmFast.Cli.Tests.Captures;

/// <summary>Small captures that hold one of everything.</summary>
internal static class SampleCaptures
{
    /// <summary>10 MiB with every kind of page that a made-up process can have.</summary>
    public static Capture Small() => ProcessImage.Parse(
        """
        {
          "name": "sample",
          "vmas": [
            { "at": "0x10000000", "size": "64KiB", "protection": "r", "kind": "privateFile", "file": "program", "pages": [ { "count": 10, "state": "file" }, { "count": 2, "state": "hole" }, { "count": 4, "state": "own" } ] },
            { "at": "0x10200000", "size": "2MiB", "protection": "rw", "kind": "privateAnonymous", "pages": [ { "count": 100, "state": "own" }, { "count": 28, "state": "hole" }, { "count": 60, "state": "shared" }, { "count": 4, "state": "zero" }, { "count": 64, "state": "swapped" } ] },
            { "at": "0x10400000", "size": "6MiB", "protection": "rw", "kind": "privateAnonymous", "hugePages": true, "pages": [ { "count": 512, "state": "huge" }, { "count": 512, "state": "hugeZero" }, { "count": 512, "state": "hole" } ] },
            { "at": "0x10a00000", "size": "128KiB", "protection": "rw", "kind": "sharedFile", "file": "memfd:ring", "pages": [ { "count": 20, "state": "file" }, { "count": 12, "state": "hole" } ] },
            { "at": "0x10a20000", "size": "64KiB", "protection": "rw", "kind": "sharedAnonymous", "pages": [ { "count": 16, "state": "file" } ] },
            { "at": "0x10b00000", "size": "64KiB", "protection": "r", "kind": "sharedFile", "file": "edges", "pages": [ { "count": 8, "state": "file" } ] },
            { "at": "0x10c00000", "size": "1MiB", "protection": "none", "kind": "privateAnonymous" },
            { "at": "0x10e00000", "size": "16KiB", "protection": "r", "kind": "driverPfn" }
          ]
        }
        """,
        "sample");

    /// <summary>Frame numbers that jump, as a kernel's do.</summary>
    public static Capture WithKernelFrames()
    {
        CaptureBuilder builder = new();
        builder.BeginVma(new CapturedVma(new VpnRange(new Vpn(0x100), 64), Protection.ReadWrite, MappingKind.PrivateAnonymous, -1, 0, VmaTraits.Executable));
        for (ulong i = 0; i < 40; i++)
        {
            builder.Append(new Vpn(0x100 + i), PageState.Present | PageState.Exclusive, new Pfn((i * 7919) % 100_000));
        }

        builder.Append(new Vpn(0x100 + 50), PageState.Present | PageState.SoftDirty, new Pfn(Capture.MaxFrame));
        return builder.Build(new CaptureFacts { ProcessName = "frames", ProcessId = 42, FrameSource = FrameSource.Kernel, Method = PageScanMethod.PagemapScan });
    }
}
