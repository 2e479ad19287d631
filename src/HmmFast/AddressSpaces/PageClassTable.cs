using System.Diagnostics;

namespace HmmFast.AddressSpaces;

/// <summary>
/// The classes in use in one memory system: a byte for every distinct <see cref="PageClass"/>. Class 0 is "none", so untouched columns read as holes. Classes are
/// never forgotten, so a column's bytes keep their meaning, and forks copy columns as they are.
/// </summary>
internal sealed class PageClassTable
{
    /// <summary>A class is a byte.</summary>
    public const int Capacity = 256;

    /// <summary>Kept free of devices' classes, so that only taking a device's first page can run out of classes: all others together are fewer.</summary>
    public const int ReservedForOthers = 96;

    // With what access, exclusivity and soft-dirty bit an entry can hold a private page.
    private const int FormsOfDevice = 6;

    /// <summary>Devices whose private pages can be in use, over a memory system's life.</summary>
    public const int MostDevices = (Capacity - ReservedForOthers) / FormsOfDevice;

    private const int BitCombinations = 128;
    private const int KindCount = 7;

    private readonly PageClass[] _classes = new PageClass[Capacity];

    // Direct look-up for the classes without a device: kind and bits; 0 is "not yet interned" (the none class itself is 0 anyway).
    private readonly byte[] _direct = new byte[KindCount * BitCombinations];

    // The same for device-private classes, the only ones with a device: by device number, then by bits.
    private byte[][] _ofDevice = [];
    private int _ofDeviceCount;

    /// <summary>Classes in use; also the table's version, since classes are only added.</summary>
    public int Count { get; private set; } = 1;

    /// <summary>Those of them that belong to no device.</summary>
    public int OthersCount => Count - _ofDeviceCount;

    public PageClass this[byte id] => _classes[id];

    public ReadOnlySpan<PageClass> All => _classes.AsSpan(0, Count);

    /// <summary>The byte of a class, given one if it is new.</summary>
    /// <exception cref="InvalidOperationException">It would be the 257th class.</exception>
    public byte Intern(PageClass pageClass)
    {
        ref byte id = ref _direct[0];
        if (pageClass.Device == 0)
        {
            id = ref _direct[((int)pageClass.Kind * BitCombinations) + (int)pageClass.Bits];
        }
        else
        {
            MakeRoom(pageClass.Device);
            id = ref _ofDevice[pageClass.Device][(int)pageClass.Bits];
        }

        if (id == 0 && pageClass != default)
        {
            id = Add(pageClass);
        }

        return id;
    }

    /// <summary>Gives a device's private pages their classes: with what access, exclusivity and soft-dirty bit an entry can hold one.</summary>
    /// <exception cref="InvalidOperationException">There is no room for them; nothing is changed.</exception>
    public void EnsureDevice(int device)
    {
        const EntryBits Both = EntryBits.Writable | EntryBits.Exclusive;
        ReadOnlySpan<EntryBits> forms =
            [Both, Both | EntryBits.SoftDirty, EntryBits.Exclusive, EntryBits.Exclusive | EntryBits.SoftDirty, EntryBits.None, EntryBits.SoftDirty];
        var key = new PageClass(PageEntryKind.DevicePrivate, Both, checked((ushort)(device + 1)));
        if (TryFind(key, out _))
        {
            return;
        }

        if (_ofDeviceCount + forms.Length > Capacity - ReservedForOthers)
        {
            Debug.Assert(forms.Length == FormsOfDevice, "The bound counts these.");
            throw new InvalidOperationException(
                $"Page states are kept as one byte. Private pages of {_ofDeviceCount / forms.Length} devices are in use, which take {_ofDeviceCount} of the {Capacity - ReservedForOthers} classes there are for them; device {device} needs {forms.Length} more.");
        }

        foreach (EntryBits bits in forms)
        {
            Intern(key with { Bits = bits });
        }
    }

    /// <summary>The byte of a class, if it has one.</summary>
    public bool TryFind(PageClass pageClass, out byte id)
    {
        if (pageClass.Device != 0)
        {
            id = pageClass.Device < _ofDevice.Length ? _ofDevice[pageClass.Device][(int)pageClass.Bits] : (byte)0;
            return id != 0;
        }

        id = _direct[((int)pageClass.Kind * BitCombinations) + (int)pageClass.Bits];
        return id != 0 || pageClass == default;
    }

    /// <summary>The byte of a class with some bits set and some cleared.</summary>
    public byte Change(byte id, EntryBits set, EntryBits clear)
    {
        PageClass pageClass = _classes[id];
        return Intern(pageClass with { Bits = (pageClass.Bits & ~clear) | set });
    }

    public byte Present(EntryBits bits) => Intern(new PageClass(PageEntryKind.Present, bits));

    private void MakeRoom(int device)
    {
        int known = _ofDevice.Length;
        if (device >= known)
        {
            Array.Resize(ref _ofDevice, device + 1);
            for (int i = known; i <= device; i++)
            {
                _ofDevice[i] = new byte[BitCombinations];
            }
        }
    }

    private byte Add(PageClass pageClass)
    {
        if (Count == Capacity)
        {
            throw new InvalidOperationException(
                $"Page states are kept as one byte: {Capacity} classes are in use and {pageClass} would be one more.");
        }

        Debug.Assert(pageClass.Device == 0 || pageClass.Kind == PageEntryKind.DevicePrivate, "Only private pages name their device.");
        _ofDeviceCount += pageClass.Device == 0 ? 0 : 1;
        _classes[Count] = pageClass;
        return (byte)Count++;
    }
}
