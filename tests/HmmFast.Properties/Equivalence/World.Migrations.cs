namespace HmmFast.Properties.Equivalence;

/// <content>Migrations whose steps are operations of their own, so that anything may happen between them.</content>
public sealed partial class World
{
    private const int MostMigrations = 3;
    private const ulong Refused = ulong.MaxValue;

    private readonly List<Migrating> _migrations = [];

    /// <summary>Ends every migration that is under way, so that every page can be read.</summary>
    public IReadOnlyList<ulong> FinishMigrations()
    {
        _answer.Clear();
        foreach (Migrating migrating in _migrations)
        {
            if (!migrating.HasMoved)
            {
                migrating.Space.MigrateVmaPages(migrating.Call);
            }

            migrating.Space.MigrateVmaFinalize(migrating.Call);
            Say(migrating.Call);
        }

        _migrations.Clear();
        return _answer;
    }

    private bool IsMigrating(IAddressSpace space) => _migrations.Exists(migrating => ReferenceEquals(migrating.Space, space));

    /// <summary>A CPU's access, which a page that is being migrated refuses, by an exception: nobody here could end its wait.</summary>
    private bool MayTouch(Func<CpuAccessResult> access)
    {
        try
        {
            _answer.Add((ulong)access());
            return true;
        }
        catch (InvalidOperationException) when (_migrations.Count > 0)
        {
            _answer.Add(Refused);
            return false;
        }
    }

    private void BeginMigration(IAddressSpace space, VpnRange range, Operation operation)
    {
        if (_migrations.Count == MostMigrations)
        {
            return;
        }

        MigrateVmaFlags select = (operation.B % 4) switch
        {
            0 => MigrateVmaFlags.SelectDevicePrivate | MigrateVmaFlags.SelectDeviceCoherent,
            1 => MigrateVmaFlags.SelectSystem | MigrateVmaFlags.SelectDevicePrivate | MigrateVmaFlags.SelectDeviceCoherent,
            _ => MigrateVmaFlags.SelectSystem,
        };
        var call = new MigrateVma(range, select, _owners[operation.A % _devices.Length]);
        HmmStatus status = space.MigrateVmaSetup(call);
        Say(status);
        if (status == HmmStatus.Ok)
        {
            Say(call);
            _migrations.Add(new Migrating(space, call));
        }
    }

    private void MovePages(Operation operation)
    {
        Migrating[] waiting = [.. _migrations.Where(migrating => !migrating.HasMoved)];
        if (waiting.Length == 0)
        {
            return;
        }

        Migrating chosen = waiting[operation.Space % waiting.Length];
        int? device = operation.A % 4 == 0 ? null : operation.A % _devices.Length;
        Give(chosen.Call, operation, device, i => (operation.B >> (i % 16) & 0x11) != 0x11, (source, page) => MigratePfn.Of(page, migrating: false, source.IsWritable || !source.IsValid));
        try
        {
            chosen.Space.MigrateVmaPages(chosen.Call);
        }
        catch (InvalidOperationException)
        {
            // A page was changed since it was collected. The driver takes its pages back, and all of them stay where they are.
            _answer.Add(Refused);
            foreach (MigratePfn destination in chosen.Call.Destination.Where(destination => destination.IsValid))
            {
                Memory.ReleasePage(destination.Pfn);
            }

            Array.Clear(chosen.Call.Destination);
            chosen.Space.MigrateVmaPages(chosen.Call);
        }

        chosen.HasMoved = true;
        Say(chosen.Call);
    }

    private void FinishMigration(Operation operation)
    {
        Migrating[] moved = [.. _migrations.Where(migrating => migrating.HasMoved)];
        if (moved.Length > 0)
        {
            Migrating chosen = moved[operation.Space % moved.Length];
            chosen.Space.MigrateVmaFinalize(chosen.Call);
            _migrations.Remove(chosen);
        }
    }

    private sealed class Migrating(IAddressSpace space, MigrateVma call)
    {
        public IAddressSpace Space { get; } = space;

        public MigrateVma Call { get; } = call;

        public bool HasMoved { get; set; }
    }
}
