namespace HmmFast.Simulation.Comparison;

/// <summary>Walks a stretch of memory by the scenario's pattern. The pattern begins anew with each stretch.</summary>
internal struct PlacementWalk
{
    private readonly IReadOnlyList<PlacementRun> _runs;
    private readonly ulong _end;
    private ulong _at;
    private int _run;
    private ulong _left;

    public PlacementWalk(PolicyScenario scenario, VpnRange extent)
    {
        _runs = scenario.Placement;
        _at = extent.Start.Value;
        _end = extent.End.Value;
        _run = 0;
        _left = _runs[0].PageCount;
    }

    /// <summary>The next piece of one run, at most so long; neighbouring runs on one device are one.</summary>
    public bool TryNext(ulong mostPages, out VpnRange piece, out int device)
    {
        device = _runs[_run].Device;
        ulong start = _at;
        ulong limit = Math.Min(_end, _at + mostPages);
        while (_at < limit && _runs[_run].Device == device)
        {
            ulong step = Math.Min(_left, limit - _at);
            _at += step;
            _left -= step;
            if (_left == 0)
            {
                _run = (_run + 1) % _runs.Count;
                _left = _runs[_run].PageCount;
            }
        }

        piece = VpnRange.FromBounds(new Vpn(start), new Vpn(_at));
        return !piece.IsEmpty;
    }

    /// <summary>Pages placed on each device.</summary>
    public static ulong[] CountPages(PolicyScenario scenario, ScenarioMemory memory)
    {
        ulong[] pages = new ulong[scenario.Devices.Count];
        foreach (VpnRange extent in memory.Extents)
        {
            PlacementWalk walk = new(scenario, extent);
            while (walk.TryNext(ulong.MaxValue - extent.End.Value, out VpnRange piece, out int device))
            {
                if (device >= 0)
                {
                    pages[device] += piece.PageCount;
                }
            }
        }

        return pages;
    }
}
