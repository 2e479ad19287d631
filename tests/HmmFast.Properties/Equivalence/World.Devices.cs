namespace HmmFast.Properties.Equivalence;

/// <content>What devices and their drivers do: range faults, migrations, exclusive access, pins, writes to device memory.</content>
public sealed partial class World
{
    private void RangeFault(IAddressSpace space, VpnRange range, Operation operation, bool perPage)
    {
        if (range.IsEmpty)
        {
            return;
        }

        HmmPfnLayout layout = Shape.Options.Layout;
        var words = new HmmPfn[range.PageCount];
        var random = new Random(operation.B);
        int style = random.Next(4);
        for (int i = 0; i < words.Length; i++)
        {
            HmmRequestFlags request = !perPage ? HmmRequestFlags.None : RandomRequest(random, style, i);
            ulong sticky = (ulong)random.NextInt64() & layout.StickyMask;
            words[i] = new HmmPfn(layout.Encode(request) | sticky | ((0xA5A5UL << 20) + (uint)i));
        }

        using IMmuIntervalNotifier notifier = space.InsertNotifier(range, null);
        ulong sequence = notifier.ReadBegin();
        InvalidateBetween(space, range, operation);
        int tries = random.Next(3) == 0 ? 1 : 6;
        var request0 = new HmmRange
        {
            Range = range,
            Notifier = notifier,
            NotifierSequence = sequence,
            DefaultFlags = perPage && random.Next(2) == 0 ? HmmRequestFlags.None : RandomRequest(random, 3, 0),
            PfnFlagsMask = perPage ? random.Next(4) == 0 ? HmmRequestFlags.Fault : HmmRequestFlags.All : HmmRequestFlags.None,
            Owner = random.Next(4) switch { 0 => OwnerId.Null, 1 => _owners[1], 2 => _owners[2], _ => _owners[0] },
            IgnoresWords = random.Next(4) == 0,
            FaultHabit = Shape.OnlyAsked ? FaultHabit.OnlyAsked : FaultHabit.RunForward,
        };
        HmmStatus status;
        do
        {
            status = space.RangeFault(request0, words);
            Say(status);
            request0 = request0 with { NotifierSequence = notifier.ReadBegin() };
        }
        while (status == HmmStatus.Busy && --tries > 0);
        foreach (HmmPfn word in words)
        {
            _answer.Add(word.Raw);
        }
    }

    /// <summary>Something changes between the look at a notifier's sequence and the call: now and then in the range, or right beside it.</summary>
    /// <returns>True when it was in the range, so that the call must be told to begin again.</returns>
    private bool InvalidateBetween(IAddressSpace space, VpnRange range, Operation operation)
    {
        int where = operation.B / 16 % 8;
        VpnRange place = where switch
        {
            0 => new VpnRange(range.Start + ((ulong)operation.A % range.PageCount), 1),
            1 => new VpnRange(Shape.Window.Start, (range.Start.Value - Shape.Window.Start.Value) + 1),
            2 => VpnRange.FromBounds(Shape.Window.Start, range.Start),
            3 => VpnRange.FromBounds(range.End, Shape.Window.End),
            _ => default,
        };
        if (!place.IsEmpty)
        {
            space.Invalidate(place, InvalidationEvent.Clear, OwnerId.Null);
        }

        return where < 2;
    }

    private static HmmRequestFlags RandomRequest(Random random, int style, int page) => style switch
    {
        0 => page % 7 == 3 ? HmmRequestFlags.Fault : HmmRequestFlags.None,
        1 => random.Next(24) switch
        {
            0 => HmmRequestFlags.Fault | HmmRequestFlags.Write,

            // Write without fault means nothing, and must go on meaning nothing.
            1 => HmmRequestFlags.Write,
            2 => HmmRequestFlags.Fault,
            _ => HmmRequestFlags.None,
        },
        _ => random.Next(4) switch
        {
            0 => HmmRequestFlags.None,
            1 => HmmRequestFlags.Fault | HmmRequestFlags.Write,
            _ => HmmRequestFlags.Fault,
        },
    };

    private void MigrateToDevice(IAddressSpace space, VpnRange range, Operation operation)
    {
        int device = operation.A % _devices.Length;
        var migration = new MigrateVma(range, MigrateVmaFlags.SelectSystem, _owners[device]);
        HmmStatus status = space.MigrateVmaSetup(migration);
        Say(status);
        if (status != HmmStatus.Ok)
        {
            return;
        }

        Say(migration);

        // Now and then a driver gives a page no destination: it must stay where it is.
        Give(migration, operation, device, i => (operation.B >> (i % 16) & 0x11) != 0x11, (source, page) => MigratePfn.Of(page, migrating: false, source.IsWritable || !source.IsValid));
        Finish(space, migration);
    }

    private void MigrateToSystem(IAddressSpace space, VpnRange range, Operation operation)
    {
        int device = operation.A % _devices.Length;
        MigrateVmaFlags select = operation.B % 8 == 0
            ? MigrateVmaFlags.SelectDevicePrivate | MigrateVmaFlags.SelectDeviceCoherent
            : Shape.KindOf(device) == DeviceMemoryKind.Coherent ? MigrateVmaFlags.SelectDeviceCoherent : MigrateVmaFlags.SelectDevicePrivate;
        var migration = new MigrateVma(range, select, _owners[device]);
        HmmStatus status = space.MigrateVmaSetup(migration);
        Say(status);
        if (status != HmmStatus.Ok)
        {
            return;
        }

        Say(migration);
        Give(migration, operation, null, _ => true, (source, page) => MigratePfn.Of(page, migrating: false, source.IsWritable));
        Finish(space, migration);
    }

    /// <summary>Gives pages destinations: in one call, or one by one.</summary>
    private void Give(MigrateVma migration, Operation operation, int? device, Func<int, bool> isGiven, Func<MigratePfn, Pfn, MigratePfn> destination)
    {
        int[] wanted = [.. Enumerable.Range(0, migration.Source.Length).Where(i => migration.Source[i].IsMigrating && isGiven(i))];
        var pages = new Pfn[wanted.Length];
        int taken = 0;
        if (operation.B % 3 == 0)
        {
            taken = device is { } index ? Memory.AllocateDevicePages(_devices[index], pages) : Memory.AllocateSystemPages(pages);
        }
        else
        {
            while (taken < pages.Length
                && (device is { } one ? Memory.TryAllocateDevicePage(_devices[one], out pages[taken]) : Memory.TryAllocateSystemPage(out pages[taken])) == HmmStatus.Ok)
            {
                taken++;
            }
        }

        if (operation.B / 64 % 4 == 0)
        {
            new Random(operation.B).Shuffle(pages.AsSpan(0, taken));
        }

        for (int i = 0; i < taken; i++)
        {
            MigratePfn source = migration.Source[wanted[i]];
            Copy(source, pages[i]);
            migration.Destination[wanted[i]] = destination(source, pages[i]);
        }
    }

    private void Copy(MigratePfn source, Pfn page) => Memory.WriteContent(page, source.IsValid ? Memory.ReadContent(source.Pfn) : 0);

    private void Finish(IAddressSpace space, MigrateVma migration)
    {
        space.MigrateVmaPages(migration);
        Say(migration);
        space.MigrateVmaFinalize(migration);
    }

    private void Say(MigrateVma migration)
    {
        _answer.Add(migration.CollectedPageCount);
        foreach (MigratePfn source in migration.Source)
        {
            _answer.Add(source.Raw);
        }
    }

    private void MakeExclusive(IAddressSpace space, VpnRange range, Operation operation)
    {
        var pages = new Pfn[range.PageCount];
        Say(space.MakeDeviceExclusive(range, _owners[operation.A % _owners.Length], pages, out ulong count));
        _answer.Add(count);
        foreach (Pfn page in pages)
        {
            _answer.Add(page.Value);
        }
    }

    private void Pin(IAddressSpace space, VpnRange range)
    {
        if (range.IsEmpty || _pins.Count >= MostPins)
        {
            return;
        }

        var page = new PageObservation[1];
        space.Observe(new VpnRange(range.Start, 1), page);
        if (page[0].Kind == PageEntryKind.Present && !page[0].IsZeroPage && !page[0].IsSpecial && page[0].Frame.IsFrame)
        {
            Memory.Pin(page[0].Frame);
            _pins.Add(page[0].Frame);
        }
    }

    private void DeviceWrite(IAddressSpace space, VpnRange range)
    {
        var pages = new PageObservation[range.PageCount];
        space.Observe(range, pages);
        for (int i = 0; i < pages.Length; i++)
        {
            // A writable private entry is held by one process alone, so nobody else sees the write.
            if (pages[i].Kind == PageEntryKind.DevicePrivate && pages[i].IsWritable)
            {
                ulong tag = (ulong)_nextTag++ << 24;
                Memory.WriteContent(pages[i].Frame, tag);
                _oracle.Written(space, range.Start + (ulong)i, tag);
            }
        }
    }
}
