namespace HmmFast.Simulation.Costs;

/// <summary>What things cost, so that counts can be turned into time. A first model: sums of counts times figures, no queues, nothing overlaps.</summary>
/// <remarks>Its times are for comparing policies within one run; they are no forecast for a machine.</remarks>
public sealed class CostModel
{
    private const string Stelline = "measured: p2pBandwidthLatencyTest on four GPUs at PCIe 4.0 x16 below separate root ports of an AMD Genoa board (luigifcruz/stelline, MIT)";
    private const string Assumed = "assumed; no published figure";

    private readonly Dictionary<string, CostFigure> _figures;

    private CostModel(IEnumerable<CostFigure> figures)
    {
        Figures = [.. figures];
        _figures = Figures.ToDictionary(figure => figure.Name, StringComparer.Ordinal);
    }

    /// <summary>The defaults.</summary>
    public static CostModel Default { get; } = new(
    [
        new("localBytesPerSecond", 815e9, "B/s", Stelline + ": a GPU with itself, 803 to 833 GB/s"),
        new("localLatencyNs", 1370, "ns", Stelline + ": a GPU with itself, 1.36 to 1.40 us"),
        new("linkBytesPerSecond", 150e9, "B/s", "derived: six NVLink links of 25 GB/s each way, as hwloc's DGX-2 file gives them (open-mpi/hwloc tests, BSD-3)"),
        new("linkLatencyNs", 1300, "ns", Assumed + "; taken a little below the PCIe figure"),
        new("p2pBusBytesPerSecond", 26.3e9, "B/s", Stelline + ": peer access on, 26.32 GB/s; a switch has the same link rate"),
        new("p2pBusLatencyNs", 1240, "ns", Stelline + ": peer access on, fastest pair 1.21 to 1.24 us"),
        new("p2pHostBridgeBytesPerSecond", 26.3e9, "B/s", Stelline + ": peer access on, 26.32 GB/s"),
        new("p2pHostBridgeLatencyNs", 1340, "ns", Stelline + ": peer access on, 1.21 to 1.44 us"),
        new("systemBytesPerSecond", 26.5e9, "B/s", "measured: bandwidthTest with pinned memory on the same board, 26.3 GB/s to and 26.8 GB/s from the host"),
        new("systemLatencyNs", 1430, "ns", Stelline + ": 1.41 to 1.74 us seen from the CPU"),
        new("migrationBytesPerSecond", 22.2e9, "B/s", Stelline + ": peer access off, so staged through system memory, 22.1 to 22.4 GB/s"),
        new("migrationSetupNs", 12000, "ns", Stelline + ": peer access off, 10.3 to 14.2 us"),
        new("migratePageNs", 1000, "ns", Assumed + "; the list says that 96 % of a 2 MiB GPU fault is spent in migrate_vma (dri-devel, 2025-03-06)"),
        new("faultPageNs", 500, "ns", Assumed + "; a first touch of anonymous memory takes 250 to 900 ns on servers"),
        new("rangeFaultCallNs", 1000, "ns", Assumed),
        new("walkPageNs", 25.6, "ns", "derived: a C program shaped like the kernel's walk does 0.039 G pages/s out of cache"),
        new("tlbInvalidationNs", 2000, "ns", Assumed + "; one device TLB flush and its wait"),
        new("exporterCallbackNs", 40, "ns", Assumed + "; an indirect call with a lock"),
        new("distanceLookupNs", 50, "ns", Assumed + "; a look-up in the xarray that caches map types"),
        new("linkCheckNs", 5, "ns", Assumed + "; one load"),
        new("rangeCallbackNs", 40, "ns", Assumed + "; an indirect call"),
        new("devmemAllowedNs", 40, "ns", Assumed + "; an indirect call"),
        new("bitmapReadNs", 5, "ns", Assumed + "; one load"),
        new("pathSelectionNs", 20, "ns", Assumed + "; a few comparisons"),
        new("dmaMapPageNs", 30, "ns", Assumed + "; linking one page into an IOVA range"),
        new("exporterMapPageNs", 100, "ns", Assumed + "; dma_map_resource through the exporter"),
        new("ownerChangeNs", 5000, "ns", Assumed),
    ]);

    /// <summary>Every figure, in a stable order.</summary>
    public IReadOnlyList<CostFigure> Figures { get; }

    /// <summary>Whether a check costs its figure once a run or once a page.</summary>
    public CheckCharge ChecksPaid { get; private init; } = CheckCharge.PerRun;

    /// <summary>The model with checks charged another way.</summary>
    /// <param name="charge">Once a run or once a page.</param>
    public CostModel WithChecksPaid(CheckCharge charge) => new(Figures) { ChecksPaid = charge };

    /// <summary>A figure's value.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="KeyNotFoundException">There is no such figure.</exception>
    public double this[string name] => _figures[name].Value;

    /// <summary>The model with other values.</summary>
    /// <param name="values">Values by name.</param>
    /// <param name="source">Where they are from.</param>
    /// <exception cref="ArgumentException">There is no such figure, or a value is negative or no number, or a bandwidth is 0.</exception>
    public CostModel With(IReadOnlyDictionary<string, double> values, string source)
    {
        ArgumentNullException.ThrowIfNull(values);
        foreach ((string name, double value) in values)
        {
            if (!_figures.TryGetValue(name, out CostFigure? figure))
            {
                throw new ArgumentException($"There is no cost figure \"{name}\"; there are {string.Join(", ", _figures.Keys)}.", nameof(values));
            }

            if (!double.IsFinite(value) || value < 0 || (value == 0 && figure.Unit == "B/s"))
            {
                throw new ArgumentException($"The cost figure {name} is {value}; it must be a number that is not negative, and a bandwidth not 0.", nameof(values));
            }
        }

        return new CostModel(Figures.Select(figure =>
            values.TryGetValue(figure.Name, out double value) ? figure with { Value = value, Source = source } : figure))
        {
            ChecksPaid = ChecksPaid,
        };
    }
}
