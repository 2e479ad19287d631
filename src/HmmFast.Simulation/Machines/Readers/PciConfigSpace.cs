using System.Buffers.Binary;

namespace HmmFast.Simulation.Machines.Readers;

/// <summary>
/// Reads a function's configuration space as far as it is given: 64 bytes (what everybody may read), 256, or 4096 with the extended
/// capabilities. Broken capability chains end where they break; every walk is bounded.
/// </summary>
internal static class PciConfigSpace
{
    private const int HeaderBytes = 64;
    private const int LegacyBytes = 256;
    private const int MaxLegacyCapabilities = 48;
    private const int MaxExtendedCapabilities = (4096 - LegacyBytes) / 8;
    private const byte ExpressCapability = 0x10;
    private const ushort AcsCapability = 0x000D;
    private const ushort SriovCapability = 0x0010;

    /// <summary>Speeds by the codes of the link registers, in gigatransfers a second.</summary>
    private static ReadOnlySpan<double> SpeedByCode => [0, 2.5, 5, 8, 16, 32, 64];

    /// <summary>Fills a draft from its configuration space; what the draft has already stays.</summary>
    /// <param name="draft">The function.</param>
    /// <param name="config">The bytes, at least 64.</param>
    /// <param name="lengthIsCfgSize">The length is the kernel's own cfg_size, so 256 bytes mean that there is nothing beyond.</param>
    public static void Apply(FunctionDraft draft, ReadOnlySpan<byte> config, bool lengthIsCfgSize)
    {
        if (config.Length < HeaderBytes || config[0x0E] == 0xFF)
        {
            return;
        }

        ushort vendor = Word(config, 0x00);
        if (vendor is not (0xFFFF or 0))
        {
            draft.VendorId ??= vendor;
            draft.DeviceId ??= Word(config, 0x02);
        }

        draft.Revision ??= config[0x08];
        draft.ProgrammingInterface ??= config[0x09];
        draft.ClassCode ??= Word(config, 0x0A);
        draft.IsMultiFunction ??= (config[0x0E] & 0x80) != 0;
        draft.HeaderType ??= (byte)(config[0x0E] & 0x7F);
        if (draft.HeaderType is 1 or 2)
        {
            draft.SecondaryBus ??= config[0x19];
            draft.SubordinateBus ??= config[0x1A];
        }
        else if (draft.HeaderType == 0)
        {
            draft.SubsystemVendorId ??= Word(config, 0x2C);
            draft.SubsystemDeviceId ??= Word(config, 0x2E);
        }

        bool hasCapabilities = (Word(config, 0x06) & 0x10) != 0;
        if (!hasCapabilities)
        {
            draft.IsPcie ??= false;
        }
        else if (config.Length >= LegacyBytes)
        {
            ReadLegacyCapabilities(draft, config);
        }

        ReadExtendedCapabilities(draft, config, lengthIsCfgSize);
    }

    private static void ReadLegacyCapabilities(FunctionDraft draft, ReadOnlySpan<byte> config)
    {
        int at = config[draft.HeaderType == 2 ? 0x14 : 0x34] & 0xFC;
        bool found = false;
        for (int i = 0; i < MaxLegacyCapabilities && at >= HeaderBytes && at + 2 <= LegacyBytes; i++)
        {
            if (config[at] == ExpressCapability && at + 0x14 <= LegacyBytes)
            {
                found = true;
                draft.PcieType ??= (byte)((config[at + 2] >> 4) & 0xF);
                if (draft.PcieType is not (9 or 10))
                {
                    uint linkCapability = BinaryPrimitives.ReadUInt32LittleEndian(config[(at + 0x0C)..]);
                    ushort linkStatus = Word(config, at + 0x12);
                    draft.MaxSpeed ??= Speed(linkCapability & 0xF);
                    draft.MaxWidth ??= Width((linkCapability >> 4) & 0x3F);
                    draft.Speed ??= Speed(linkStatus & 0xFu);
                    draft.Width ??= Width(((uint)linkStatus >> 4) & 0x3F);
                }

                break;
            }

            at = config[at + 1] & 0xFC;
        }

        draft.IsPcie ??= found;
    }

    private static void ReadExtendedCapabilities(FunctionDraft draft, ReadOnlySpan<byte> config, bool lengthIsCfgSize)
    {
        if (draft.IsPcie == false || (draft.IsPcie == true && lengthIsCfgSize && config.Length == LegacyBytes))
        {
            draft.Acs = draft.Acs.IsPresent is null ? AcsDescription.Absent : draft.Acs;
            return;
        }

        if (config.Length <= LegacyBytes)
        {
            return;
        }

        bool found = false;
        int at = LegacyBytes;
        for (int i = 0; i < MaxExtendedCapabilities && at >= LegacyBytes && at + 4 <= config.Length; i++)
        {
            uint header = BinaryPrimitives.ReadUInt32LittleEndian(config[at..]);
            if (header is 0 or uint.MaxValue)
            {
                break;
            }

            if ((ushort)header == AcsCapability && at + 8 <= config.Length)
            {
                found = true;
                draft.Acs = new() { IsPresent = true, Capability = Word(config, at + 4), Control = Word(config, at + 6) };
            }
            else if ((ushort)header == SriovCapability && at + 0x1C <= config.Length)
            {
                bool enabled = (config[at + 8] & 1) != 0;
                draft.VirtualFunctionCount = enabled ? Word(config, at + 0x10) : 0;
                draft.VirtualFunctionOffset = Word(config, at + 0x14);
                draft.VirtualFunctionStride = Word(config, at + 0x16);
                draft.VirtualFunctionDeviceId = Word(config, at + 0x1A);
            }

            at = (int)(header >> 20) & 0xFFC;
        }

        if (!found && draft.Acs.IsPresent is null)
        {
            draft.Acs = AcsDescription.Absent;
        }
    }

    private static ushort Word(ReadOnlySpan<byte> config, int at) => BinaryPrimitives.ReadUInt16LittleEndian(config[at..]);

    private static double? Speed(uint code) => code > 0 && code < SpeedByCode.Length ? SpeedByCode[(int)code] : null;

    private static int? Width(uint lanes) => lanes > 0 ? (int)lanes : null;
}
