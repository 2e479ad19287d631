using HmmFast.Simulation.Captures;

namespace HmmFast.Simulation.Comparison;

/// <summary>Where a comparison's memory comes from: the scenario itself, or a captured process.</summary>
public abstract class ScenarioMemory
{
    private const ulong SpareFrameCount = 4096;

    /// <summary>A name for people.</summary>
    public abstract string Name { get; }

    /// <summary>The stretches of memory that are spread over devices and faulted, in address order.</summary>
    public abstract IReadOnlyList<VpnRange> Extents { get; }

    /// <summary>Pages in <see cref="Extents"/>.</summary>
    public ulong PageCount
    {
        get
        {
            ulong sum = 0;
            foreach (VpnRange extent in Extents)
            {
                sum += extent.PageCount;
            }

            return sum;
        }
    }

    /// <summary>True when the memory is written piece by piece while it is spread, because nothing is in it at first.</summary>
    public abstract bool IsEmptyAtFirst { get; }

    /// <summary>True when unused address spans were closed up: page numbers then count without them.</summary>
    public bool IsCompacted { get; private protected init; }

    /// <summary>Options of a memory system that can hold it.</summary>
    /// <param name="systemFrameCount">System frames; null for enough to hold everything.</param>
    public abstract MemorySystemOptions Options(ulong? systemFrameCount);

    /// <summary>Builds it.</summary>
    /// <param name="memory">A fresh memory system.</param>
    /// <returns>The address space.</returns>
    public abstract IAddressSpace Build(IMemorySystem memory);

    /// <summary>One anonymous mapping of a size.</summary>
    /// <param name="pageCount">Its pages.</param>
    public static ScenarioMemory OfSize(ulong pageCount) => new Sized(pageCount);

    /// <summary>A captured process: its anonymous private memory, as far as it holds something.</summary>
    /// <param name="capture">The capture.</param>
    public static ScenarioMemory Of(Capture capture) => new Captured(capture);

    private sealed class Sized(ulong pageCount) : ScenarioMemory
    {
        private static readonly Vpn Start = new(1 << 20);

        public override string Name => "memory of the scenario";

        public override IReadOnlyList<VpnRange> Extents { get; } = [new VpnRange(Start, pageCount)];

        public override bool IsEmptyAtFirst => true;

        public override MemorySystemOptions Options(ulong? systemFrameCount) => new()
        {
            SystemFrameCount = systemFrameCount ?? pageCount + SpareFrameCount,
            SwapSlotCount = 0,
            Window = new VpnRange(Start, (pageCount + 511) / 512 * 512),
        };

        public override IAddressSpace Build(IMemorySystem memory)
        {
            IAddressSpace space = memory.CreateAddressSpace();
            HmmStatus status = space.Map(Extents[0], Protection.ReadWrite, MappingKind.PrivateAnonymous, FileId.None, 0);
            return status == HmmStatus.Ok ? space : throw new ScenarioException($"{Extents[0].PageCount} pages cannot be mapped: {status}.");
        }
    }

    private sealed class Captured : ScenarioMemory
    {
        private readonly Capture _capture;

        public Captured(Capture capture)
        {
            ArgumentNullException.ThrowIfNull(capture);
            capture = AddressCompaction.Fit(capture, out bool isClosed);
            IsCompacted = isClosed;
            _capture = capture;
            Extents = Stretches(capture);
            if (Extents.Count == 0)
            {
                throw new ScenarioException($"The process {capture.Facts.ProcessName} has no readable private anonymous memory in use; there is nothing to compare policies on.");
            }
        }

        public override string Name => _capture.Facts.ProcessName;

        public override IReadOnlyList<VpnRange> Extents { get; }

        public override bool IsEmptyAtFirst => false;

        public override MemorySystemOptions Options(ulong? systemFrameCount)
        {
            MemorySystemOptions options = CaptureLoader.OptionsFor(_capture, trackContent: false);
            return systemFrameCount is { } count ? options with { SystemFrameCount = count } : options;
        }

        public override IAddressSpace Build(IMemorySystem memory) => CaptureLoader.Load(memory, _capture).Space;

        // Stretches of 2 MiB blocks that hold something, inside one VMA each.
        private static List<VpnRange> Stretches(Capture capture)
        {
            List<VpnRange> stretches = [];
            int run = 0;
            foreach (CapturedVma vma in capture.Vmas)
            {
                bool counts = vma.Kind == MappingKind.PrivateAnonymous && (vma.Protection & Protection.Read) != 0;
                while (run < capture.Runs.Length && capture.Runs[run].Start < vma.Range.End)
                {
                    ulong from = Math.Max(vma.Range.Start.Value, capture.Runs[run].Start.Value / 512 * 512);
                    ulong to = Math.Min(vma.Range.End.Value, (capture.Runs[run].End.Value + 511) / 512 * 512);
                    run++;
                    if (!counts)
                    {
                        continue;
                    }

                    if (stretches.Count != 0 && stretches[^1].End.Value >= from && stretches[^1].Start >= vma.Range.Start)
                    {
                        to = Math.Max(to, stretches[^1].End.Value);
                        from = stretches[^1].Start.Value;
                        stretches.RemoveAt(stretches.Count - 1);
                    }

                    stretches.Add(VpnRange.FromBounds(new Vpn(from), new Vpn(to)));
                }
            }

            return stretches;
        }
    }
}
