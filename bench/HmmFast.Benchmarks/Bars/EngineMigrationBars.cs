namespace HmmFast.Benchmarks.Bars;

/// <summary>migrate_vma to a device and back to system memory, with destinations in order and shuffled, against a loop that copies the columns it must touch.</summary>
public static class EngineMigrationBars
{
    /// <summary>Measures.</summary>
    /// <param name="session">Rounds and sizes.</param>
    /// <param name="baselines">Not used.</param>
    public static void Measure(BarSession session, string? baselines)
    {
        ulong pageCount = session.Largest(1 << 14, 1 << 20);
        foreach (bool isScattered in new[] { false, true })
        {
            using var limits = new EngineColumnLimits(pageCount);
            using var world = new EngineWorld(pageCount);
            var mover = new Mover(world, isScattered);
            string how = isScattered ? "scattered" : "contiguous";
            IReadOnlyList<Timing> t = session.Measure(
                $"migration, {how}",
                [
                    limits.MoveColumns(),
                    new Contender("engine, migrate to a device", pageCount, mover.ToDevice, mover.PrepareToDevice),
                    new Contender("engine, migrate to system memory", pageCount, mover.ToSystem, mover.PrepareToSystem),
                    new Contender("engine, a CPU reads device memory", pageCount, mover.Touch, mover.PrepareTouch),
                ]);
            double bar = isScattered ? 0.1 : 0.3;
            session.Add(new BarResult($"migrate to a device, {how}", pageCount, "of copying the same bytes", t[1].SpeedOver(t[0]), bar));
            session.Add(new BarResult($"migrate to system memory, {how}", pageCount, "of copying the same bytes", t[2].SpeedOver(t[0]), bar));
            session.Add(new BarResult($"migrate to RAM on a CPU's touch, {how}", pageCount, "of copying the same bytes", t[3].SpeedOver(t[0]), bar));
        }
    }

    /// <summary>A driver that has its pages at hand: what it takes to get them is its own.</summary>
    private sealed class Mover(EngineWorld world, bool isScattered)
    {
        private readonly MigrateVma _migration = new(world.All, MigrateVmaFlags.SelectSystem, EngineWorld.Near);
        private readonly MigratePfn[] _destinations = new MigratePfn[world.PageCount];
        private bool _isOnDevice;

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
            _destinations.CopyTo(_migration.Destination, 0);
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
                new Random(9).Shuffle(_destinations);
            }
        }
    }
}
