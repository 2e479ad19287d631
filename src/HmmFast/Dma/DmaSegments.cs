using HmmFast.Policies;
using HmmFast.Topology;

namespace HmmFast.Dma;

/// <summary>What the frames of one run are to the DMA step of one client.</summary>
internal enum DmaSegmentKind : byte
{
    /// <summary>System memory and coherent device memory.</summary>
    Normal,

    /// <summary>Device-private: has no address.</summary>
    Private,

    /// <summary>Peer memory by bus address.</summary>
    Bus,

    /// <summary>Peer memory through the host bridge.</summary>
    ThruHostBridge,

    /// <summary>Peer memory that cannot be reached.</summary>
    Unreachable,
}

/// <summary>A run of frames of one kind.</summary>
/// <param name="First">First frame.</param>
/// <param name="End">Frame after the last.</param>
/// <param name="Kind">What they are.</param>
/// <param name="Pagemap">The pagemap's device index; -1 for system memory. What a look-up is counted by.</param>
/// <param name="BusOffsetBytes">For <see cref="DmaSegmentKind.Bus"/>.</param>
internal readonly record struct DmaSegment(ulong First, ulong End, DmaSegmentKind Kind, int Pagemap, long BusOffsetBytes);

/// <summary>All frames of a memory system as runs, in order, as one client's snapshot sees them. Made once per snapshot, not per call.</summary>
internal sealed class DmaSegments
{
    private readonly DmaSegment[] _segments;

    /// <summary>Cuts the frames into runs.</summary>
    /// <param name="memory">Whose frames.</param>
    /// <param name="reach">What the client reaches.</param>
    /// <param name="pfnLimit">Frames from here on have addresses the device cannot drive (without an IOMMU).</param>
    public DmaSegments(IMemorySystem memory, ClientReach reach, ulong pfnLimit)
    {
        Reach = reach;
        DeviceCount = memory.DeviceCount;
        List<DmaSegment> runs = [];
        ulong next = 0;
        for (int index = 0; index < DeviceCount; index++)
        {
            DeviceId device = new(index);
            (Pfn first, ulong count) = memory.DeviceFrames(device);
            if (first.Value > next)
            {
                runs.Add(new DmaSegment(next, first.Value, DmaSegmentKind.Normal, -1, 0));
            }

            next = first.Value + count;
            switch (memory.KindOf(device))
            {
                case DeviceMemoryKind.Private:
                    runs.Add(new DmaSegment(first.Value, next, DmaSegmentKind.Private, index, 0));
                    break;
                case DeviceMemoryKind.PciP2pdma:
                    AddAlias(runs, reach, first.Value, next, index, pfnLimit);
                    break;
                default:
                    runs.Add(new DmaSegment(first.Value, next, DmaSegmentKind.Normal, index, 0));
                    break;
            }
        }

        runs.Add(new DmaSegment(next, ulong.MaxValue, DmaSegmentKind.Normal, -1, 0));
        _segments = [.. runs];
        DmaSegment[] hidden = Array.FindAll(_segments, run => run.Kind == DmaSegmentKind.Private);
        PrivateFirst = hidden.Length == 0 ? 0 : hidden[0].First;
        PrivateCount = hidden.Length == 0 ? 0 : hidden[^1].End - PrivateFirst;
    }

    /// <summary>The lowest private frame.</summary>
    public ulong PrivateFirst { get; }

    /// <summary>Frames from there up to the highest private one, whatever lies between; 0 when there is none.</summary>
    public ulong PrivateCount { get; }

    /// <summary>The snapshot they hold for.</summary>
    public ClientReach Reach { get; }

    /// <summary>Devices they know.</summary>
    public int DeviceCount { get; }

    /// <summary>The run that holds a frame.</summary>
    public ref readonly DmaSegment Find(ulong pfn)
    {
        int low = 0;
        int high = _segments.Length - 1;
        while (low < high)
        {
            int middle = (low + high) >> 1;
            if (pfn < _segments[middle].End)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return ref _segments[low];
    }

    private static void AddAlias(List<DmaSegment> runs, ClientReach reach, ulong first, ulong end, int index, ulong pfnLimit)
    {
        P2PdmaMapType type = P2PdmaMapType.NotSupported;
        long busOffset = 0;
        if (reach.TryFindAlias(new Pfn(first), out DeviceId provider))
        {
            ProviderReach pair = reach.Of(provider);
            type = pair.MapType;
            busOffset = pair.Window!.BusOffsetBytes;
        }

        switch (type)
        {
            case P2PdmaMapType.BusAddr:
                runs.Add(new DmaSegment(first, end, DmaSegmentKind.Bus, index, busOffset));
                break;
            case P2PdmaMapType.ThruHostBridge:
                ulong border = Math.Clamp(pfnLimit, first, end);
                if (border > first)
                {
                    runs.Add(new DmaSegment(first, border, DmaSegmentKind.ThruHostBridge, index, 0));
                }

                if (border < end)
                {
                    runs.Add(new DmaSegment(border, end, DmaSegmentKind.Unreachable, index, 0));
                }

                break;
            default:
                runs.Add(new DmaSegment(first, end, DmaSegmentKind.Unreachable, index, 0));
                break;
        }
    }
}
