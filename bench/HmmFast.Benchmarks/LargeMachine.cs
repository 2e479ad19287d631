using HmmFast.Topology;

namespace HmmFast.Benchmarks;

/// <summary>A large machine for measuring: domains of four root ports, each with a switch of sixteen ports and cards of four functions.</summary>
public static class LargeMachine
{
    private const int RootPorts = 4;
    private const int Ports = 16;
    private const int FunctionsOfACard = 4;

    /// <summary>Builds it.</summary>
    /// <param name="functionCount">How many functions it has.</param>
    /// <param name="seed">Where the ACS bits come from.</param>
    public static PciTopology Build(int functionCount, int seed = 1)
    {
        var random = new Random(seed);
        var builder = new PciTopologyBuilder { Cpu = new CpuIdentity("GenuineIntel", 6, 85) };
        for (uint domain = 0; builder.FunctionCount < functionCount; domain++)
        {
            AddDomain(builder, domain, functionCount, random);
        }

        return builder.Build();
    }

    private static void AddDomain(PciTopologyBuilder builder, uint domain, int functionCount, Random random)
    {
        builder.AddHostBridge(new PciHostBridgeSpec { RootBus = new PciBusAddress(domain, 0) });
        int bus = 1;
        for (int root = 0; root < RootPorts; root++)
        {
            PciAddress? rootPort = Add(new PciAddress(domain, 0, root, 0), null, PcieType.RootPort);
            PciAddress? up = Add(new PciAddress(domain, (byte)bus++, 0, 0), rootPort, PcieType.SwitchUpstream);
            byte portBus = (byte)bus++;
            for (int port = 0; port < Ports; port++)
            {
                PciAddress? down = Add(new PciAddress(domain, portBus, port, 0), up, PcieType.SwitchDownstream);
                byte cardBus = (byte)bus++;
                for (int function = 0; function < FunctionsOfACard; function++)
                {
                    Add(new PciAddress(domain, cardBus, 0, function), down, PcieType.Endpoint);
                }
            }
        }

        PciAddress? Add(PciAddress address, PciAddress? parent, PcieType type)
        {
            if (builder.FunctionCount >= functionCount)
            {
                return parent;
            }

            builder.AddFunction(new PciFunctionSpec
            {
                Address = address,
                Parent = parent,
                IsBridge = type != PcieType.Endpoint,
                PcieType = type,
                Vendor = 0x8086,
                Device = (ushort)(domain % 2 == 0 ? 0x2030 : 0x3c00),
                Acs = AcsState.Present((AcsControl)0x7f, random.Next(8) == 0 ? AcsControl.KernelDefault : AcsControl.None),
            });
            return address;
        }
    }
}
