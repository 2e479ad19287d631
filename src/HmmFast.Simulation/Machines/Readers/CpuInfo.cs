namespace HmmFast.Simulation.Machines.Readers;

/// <summary>Reads the processor from /proc/cpuinfo or lscpu; both write "name : value" with names of their own.</summary>
internal static class CpuInfo
{
    public static CpuDescription? Read(IEnumerable<string> lines)
    {
        string? vendor = null;
        string? name = null;
        int? family = null;
        int? model = null;
        foreach (string line in lines)
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0)
            {
                continue;
            }

            ReadOnlySpan<char> key = line.AsSpan(0, colon).Trim();
            string value = line[(colon + 1)..].Trim();
            switch (key)
            {
                case "vendor_id" or "Vendor ID": vendor ??= value; break;
                case "model name" or "Model name": name ??= value; break;
                case "cpu family" or "CPU family": family ??= Numbers.TryInt(value, out int f) ? f : null; break;
                case "model" or "Model": model ??= Numbers.TryInt(value, out int m) ? m : null; break;
                case "CPU implementer": vendor ??= "arm64"; break;
                case "cpu" when value.StartsWith("POWER", StringComparison.Ordinal): vendor ??= "ppc64le"; name ??= value; break;
                default: break;
            }

            // The first processor speaks for all, as the kernel's own check does.
            if (vendor is not null && name is not null && family is not null && model is not null)
            {
                break;
            }
        }

        return vendor is null && name is null ? null : new() { Vendor = vendor, Family = family, Model = model, Name = name };
    }
}
