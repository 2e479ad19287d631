namespace HmmFast.Simulation.Machines.Readers;

/// <summary>
/// Numbers for the names that lspci prints without <c>-nn</c>: the classes that decide what a function is, the vendors met in servers,
/// and the devices of the host-bridge list. A name that is not here leaves the number unknown.
/// </summary>
internal static class PciNames
{
    private static readonly Dictionary<string, ushort> Classes = new(StringComparer.OrdinalIgnoreCase)
    {
        ["SCSI storage controller"] = 0x0100,
        ["IDE interface"] = 0x0101,
        ["RAID bus controller"] = 0x0104,
        ["SATA controller"] = 0x0106,
        ["Serial Attached SCSI controller"] = 0x0107,
        ["Non-Volatile memory controller"] = 0x0108,
        ["Mass storage controller"] = 0x0180,
        ["Ethernet controller"] = 0x0200,
        ["Infiniband controller"] = 0x0207,
        ["Fabric controller"] = 0x0208,
        ["Network controller"] = 0x0280,
        ["VGA compatible controller"] = 0x0300,
        ["3D controller"] = 0x0302,
        ["Display controller"] = 0x0380,
        ["Multimedia audio controller"] = 0x0401,
        ["Audio device"] = 0x0403,
        ["RAM memory"] = 0x0500,
        ["CXL"] = 0x0502,
        ["Memory controller"] = 0x0580,
        ["Host bridge"] = 0x0600,
        ["ISA bridge"] = 0x0601,
        ["PCI bridge"] = 0x0604,
        ["CardBus bridge"] = 0x0607,
        ["InfiniBand to PCI host bridge"] = 0x060A,
        ["Bridge"] = 0x0680,
        ["Serial controller"] = 0x0700,
        ["Communication controller"] = 0x0780,
        ["PIC"] = 0x0800,
        ["IOMMU"] = 0x0806,
        ["System peripheral"] = 0x0880,
        ["USB controller"] = 0x0C03,
        ["Fibre Channel"] = 0x0C04,
        ["SMBus"] = 0x0C05,
        ["IPMI Interface"] = 0x0C07,
        ["Serial bus controller"] = 0x0C80,
        ["Encryption controller"] = 0x1080,
        ["Performance counters"] = 0x1101,
        ["Signal processing controller"] = 0x1180,
        ["Processing accelerators"] = 0x1200,
        ["Non-Essential Instrumentation"] = 0x1300,
        ["Co-processor"] = 0x4000,
        ["Unassigned class"] = 0xFF00,
    };

    // A vendor's name must be followed by a blank, so a name that begins another one does not take it.
    private static readonly (string Name, ushort Id)[] Vendors =
    [
        ("Advanced Micro Devices, Inc. [AMD/ATI]", 0x1002),
        ("Advanced Micro Devices, Inc. [AMD]", 0x1022),
        ("Amazon.com, Inc.", 0x1D0F),
        ("Ampere Computing, LLC", 0x1DEF),
        ("ASMedia Technology Inc.", 0x1B21),
        ("ASPEED Technology, Inc.", 0x1A03),
        ("Broadcom / LSI", 0x1000),
        ("Broadcom Inc. and subsidiaries", 0x14E4),
        ("Chengdu Haiguang IC Design Co., Ltd.", 0x1D94),
        ("HighPoint Technologies, Inc.", 0x1103),
        ("Hygon", 0x1D94),
        ("IBM", 0x1014),
        ("Intel Corporation", 0x8086),
        ("KIOXIA Corporation", 0x1E0F),
        ("LSI Logic / Symbios Logic", 0x1000),
        ("Matrox Electronics Systems Ltd.", 0x102B),
        ("Mellanox Technologies", 0x15B3),
        ("Micron Technology Inc", 0x1344),
        ("Microsemi / PMC / IDT", 0x11F8),
        ("NVIDIA Corporation", 0x10DE),
        ("PLDA", 0x1556),
        ("PLX Technology, Inc.", 0x10B5),
        ("PMC-Sierra Inc.", 0x11F8),
        ("Red Hat, Inc.", 0x1AF4),
        ("Samsung Electronics Co Ltd", 0x144D),
        ("Texas Instruments", 0x104C),
    ];

    // The devices that may speak for a host bridge in the kernel's list, under the names of the public id database.
    private static readonly (ushort Vendor, string Name, ushort Id)[] Devices =
    [
        (0x8086, "Xeon E5/Core i7 DMI2", 0x3C00),
        (0x8086, "Xeon E5/Core i7 IIO PCI Express Root Port in DMI2 Mode", 0x3C01),
        (0x8086, "Xeon E7 v3/Xeon E5 v3/Core i7 DMI2", 0x2F00),
        (0x8086, "Xeon E7 v3/Xeon E5 v3/Core i7 PCI Express Root Port 0", 0x2F01),
        (0x8086, "Sky Lake-E DMI3 Registers", 0x2020),
        (0x8086, "Sky Lake-E PCI Express Root Port A", 0x2030),
        (0x8086, "Sky Lake-E PCI Express Root Port B", 0x2031),
        (0x8086, "Sky Lake-E PCI Express Root Port C", 0x2032),
        (0x8086, "Sky Lake-E PCI Express Root Port D", 0x2033),
        (0x8086, "Ice Lake Memory Map/VT-d", 0x09A2),
    ];

    public static ushort? ClassByName(string name) => Classes.TryGetValue(name, out ushort code) ? code : null;

    /// <summary>Vendor and device of a name like <c>Intel Corporation Device 09a2</c>; each null where the name does not tell.</summary>
    public static (ushort? Vendor, ushort? Device) IdsByName(string name)
    {
        ushort? vendor = null;
        string rest = name;
        foreach ((string vendorName, ushort id) in Vendors)
        {
            if (name.Length > vendorName.Length && name[vendorName.Length] == ' ' && name.StartsWith(vendorName, StringComparison.Ordinal))
            {
                vendor = id;
                rest = name[(vendorName.Length + 1)..];
                break;
            }
        }

        // A device without a name is written by its number; a vendor without a name takes its number in front: Device 1234:11e8.
        int word = rest.LastIndexOf("Device ", StringComparison.Ordinal);
        if (word >= 0 && (word == 0 || rest[word - 1] == ' '))
        {
            string number = rest[(word + 7)..];
            if (number.Length == 9 && number[4] == ':' && Numbers.TryHex16(number.AsSpan(0, 4), out ushort bareVendor)
                && Numbers.TryHex16(number.AsSpan(5), out ushort bareDevice))
            {
                return (bareVendor, bareDevice);
            }

            if (number.Length == 4 && Numbers.TryHex16(number, out ushort device))
            {
                return (vendor, device);
            }
        }

        foreach ((ushort knownVendor, string deviceName, ushort id) in Devices)
        {
            if (vendor == knownVendor && rest == deviceName)
            {
                return (vendor, id);
            }
        }

        return (vendor, null);
    }
}
