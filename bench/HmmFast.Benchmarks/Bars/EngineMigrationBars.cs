namespace HmmFast.Benchmarks.Bars;

/// <summary>migrate_vma to a device and back to system memory, with destinations in order and shuffled, against a loop that copies the columns it must touch.</summary>
public static class EngineMigrationBars
{
    /// <summary>Measures.</summary>
    /// <param name="session">Rounds and sizes.</param>
    /// <param name="baselines">Not used.</param>
    public static void Measure(BarSession session, string? baselines)
    {
        ulong pageCount = session.Largest(1 << 12, 1 << 20);
        foreach (bool isScattered in new[] { false, true })
        {
            using var limits = new EngineColumnLimits(pageCount);
            using var world = new EngineWorld(pageCount);
            var mover = new Mover(world, isScattered);
            string how = isScattered ? "scattered" : "contiguous";
            List<Contender> contenders =
            [
                limits.MoveColumns(),
                new Contender("engine, migrate to a device", pageCount, mover.ToDevice, mover.PrepareToDevice, mover.OwnNs),
                new Contender("engine, migrate to system memory", pageCount, mover.ToSystem, mover.PrepareToSystem, mover.OwnNs),
                new Contender("engine, a CPU reads device memory", pageCount, mover.Touch, mover.PrepareTouch),
            ];
            if (isScattered)
            {
                int[] order = [.. Enumerable.Range(0, (int)pageCount)];
                new Random(Mover.Seed).Shuffle(order);
                contenders.Add(limits.MoveShuffledColumns(order));
            }

            IReadOnlyList<Timing> t = session.Measure($"migration, {how}", contenders);
            (string Work, Timing Timing)[] works =
            [
                ($"migrate to a device, {how}", t[1]), ($"migrate to system memory, {how}", t[2]), ($"migrate to RAM on a CPU's touch, {how}", t[3]),
            ];
            foreach ((string work, Timing timing) in works)
            {
                session.Ratio(work, pageCount, "of copying the same bytes", timing, t[0], isScattered ? 0.1 : 0.3);
                if (isScattered)
                {
                    session.Ratio(work, pageCount, "of copying the same bytes in the shuffled order", timing, t[4], null);
                }
            }

            EngineAllocations.Add(session, $"migrate to a device, {how}", pageCount, mover.ToDevice, mover.PrepareToDevice);
            EngineAllocations.Add(session, $"migrate to system memory, {how}", pageCount, mover.ToSystem, mover.PrepareToSystem);
            EngineAllocations.Add(session, $"migrate to RAM on a CPU's touch, {how}", pageCount, mover.Touch, mover.PrepareTouch);
        }
    }

    /// <summary>A driver that has its pages at hand: what it takes to get them is its own.</summary>
    private sealed class Mover(EngineWorld world, bool isScattered)
    {
        /// <summary>Of the shuffle, so that a limit can have the same order.</summary>
        public const int Seed = 9;

        private readonly MigrateVma _migration = new(world.All, MigrateVmaFlags.SelectSystem, EngineWorld.Near);
        private readonly MigratePfn[] _destinations = new MigratePfn[world.PageCount];
        private bool _isOnDevice;
        private long _ownNs;

        /// <summary>What the last migration spent in the driver, which setup makes wait: it clears what was handed over before.</summary>
        public long OwnNs() => _ownNs;

        public void PrepareToDevice()
        {
            if (_isOnDevice)
            {
                Take(toDevice: false);
                ToSystem();
            }

            world.Write(world.All);
            Take(toDevice: true);
        }

        public void PrepareToSystem()
        {
            PrepareTouch();
            Take(toDevice: false);
        }

        public void PrepareTouch()
        {
            if (!_isOnDevice)
            {
                PrepareToDevice();
                ToDevice();
            }
        }

        public void ToDevice()
        {
            Move();
            _isOnDevice = true;
        }

        public void ToSystem()
        {
            Move();
            _isOnDevice = false;
        }

        public void Touch()
        {
            CpuAccessResult result = world.Space.CpuRead(world.All, default, default);
            _isOnDevice = false;
            if (result != CpuAccessResult.Ok)
            {
                throw new InvalidOperationException($"Reading answered {result}.");
            }
        }

        private void Move()
        {
            EngineWorld.Must(world.Space.MigrateVmaSetup(_migration), "migration setup");
            long from = ThreadClock.NowNs();
            _destinations.CopyTo(_migration.Destination, 0);
            _ownNs = ThreadClock.NowNs() - from;
            world.Space.MigrateVmaPages(_migration);
            world.Space.MigrateVmaFinalize(_migration);
            if (!_migration.Source[0].IsMigrating)
            {
                throw new InvalidOperationException("Nothing migrated.");
            }
        }

        private void Take(bool toDevice)
        {
            _migration.Reset(world.All, toDevice ? MigrateVmaFlags.SelectSystem : MigrateVmaFlags.SelectDevicePrivate, EngineWorld.Near);
            for (int i = 0; i < _destinations.Length; i++)
            {
                Pfn page;
                EngineWorld.Must(toDevice ? world.Memory.TryAllocateDevicePage(world.Gpu0, out page) : world.Memory.TryAllocateSystemPage(out page), "page to migrate to");
                _destinations[i] = MigratePfn.Of(page, migrating: true, writable: true);
            }

            if (isScattered)
            {
                new Random(Seed).Shuffle(_destinations);
            }
        }
    }
}
