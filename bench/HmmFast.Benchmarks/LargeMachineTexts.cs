using System.Globalization;
using System.Text;
using HmmFast.Simulation.Machines;

namespace HmmFast.Benchmarks;

/// <summary>Texts of a large machine to read: root ports with a switch and eight endpoints each, spread over host bridges.</summary>
public static class LargeMachineTexts
{
    private const int FunctionsPerPort = 18;
    private const string Redirecting = "SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-";
    private const string Capable = "SrcValid+ TransBlk+ ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans+";

    /// <summary>The text of <c>lspci -D -vvv</c>, some 1.3 kB a function.</summary>
    /// <param name="functionCount">About how many functions; whole groups of 18.</param>
    public static byte[] LspciText(int functionCount)
    {
        var text = new StringBuilder();
        for (int port = 0; port * FunctionsPerPort < functionCount; port++)
        {
            int bus = (port % 20) * 12;
            string root = (port / 20).ToString("x4", CultureInfo.InvariantCulture);
            Bridge(text, $"{root}:{bus:x2}:01.0", "Root Port (Slot+)", bus, bus + 1, bus + 10);
            Bridge(text, $"{root}:{bus + 1:x2}:00.0", "Upstream Port", bus + 1, bus + 2, bus + 10);
            for (int slot = 0; slot < 8; slot++)
            {
                Bridge(text, $"{root}:{bus + 2:x2}:{slot:x2}.0", "Downstream Port (Slot+)", bus + 2, bus + 3 + slot, bus + 3 + slot);
                Head(text, $"{root}:{bus + 3 + slot:x2}:00.0", "3D controller: NVIDIA Corporation Device 2330 (rev a1)");
                text.Append("\tRegion 0: Memory at 20f042000000 (64-bit, prefetchable) [size=16M]\n\tRegion 2: Memory at 20e000000000 (64-bit, prefetchable) [size=128G]\n");
                Express(text, "Endpoint");
                text.Append('\n');
            }
        }

        return Encoding.ASCII.GetBytes(text.ToString());
    }

    /// <summary>The same machine as the project's own JSON.</summary>
    /// <param name="functionCount">About how many functions.</param>
    public static byte[] Json(int functionCount) => MachineJsonWriter.Write(MachineReader.Parse(LspciText(functionCount), "lspci"));

    private static void Bridge(StringBuilder text, string address, string type, int primary, int secondary, int subordinate)
    {
        Head(text, address, "PCI bridge: Broadcom / LSI PEX890xx PCIe Gen 5 Switch (rev b0) (prog-if 00 [Normal decode])");
        text.Append(CultureInfo.InvariantCulture, $"\tBus: primary={primary:x2}, secondary={secondary:x2}, subordinate={subordinate:x2}, sec-latency=0\n");
        Express(text, type);
        text.Append("\tCapabilities: [170 v1] Access Control Services\n\t\tACSCap:\t").Append(Capable).Append("\n\t\tACSCtl:\t").Append(Redirecting).Append("\n\n");
    }

    private static void Head(StringBuilder text, string address, string name) => text
        .Append(address).Append(' ').Append(name)
        .Append("\n\tControl: I/O- Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- ParErr+ Stepping- SERR+ FastB2B- DisINTx+\n")
        .Append("\tStatus: Cap+ 66MHz- UDF- FastB2B- ParErr- DEVSEL=fast >TAbort- <TAbort- <MAbort- >SERR- <PERR- INTx-\n")
        .Append("\tLatency: 0\n\tNUMA node: 0\n\tIOMMU group: 12\n");

    private static void Express(StringBuilder text, string type) => text
        .Append("\tCapabilities: [68] Express (v2) ").Append(type)
        .Append(", MSI 00\n\t\tDevCap:\tMaxPayload 512 bytes, PhantFunc 0\n\t\t\tExtTag+ RBE+\n\t\tLnkCap:\tPort #0, Speed 32GT/s, Width x16, ASPM not supported\n")
        .Append("\t\tLnkSta:\tSpeed 32GT/s (ok), Width x16 (ok)\n\t\t\tTrErr- Train- SlotClk+ DLActive+ BWMgmt- ABWMgmt-\n")
        .Append("\tCapabilities: [100 v2] Advanced Error Reporting\n")
        .Append("\t\tUESta:\tDLP- SDES- TLP- FCP- CmpltTO- CmpltAbrt- UnxCmplt- RxOF- MalfTLP- ECRC- UnsupReq- ACSViol-\n")
        .Append("\t\tUEMsk:\tDLP- SDES- TLP- FCP- CmpltTO- CmpltAbrt- UnxCmplt+ RxOF- MalfTLP- ECRC- UnsupReq+ ACSViol+\n")
        .Append("\tKernel driver in use: pcieport\n");
}
