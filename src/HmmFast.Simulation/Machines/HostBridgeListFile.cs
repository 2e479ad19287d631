using System.Globalization;
using System.Text.Json;
using HmmFast.Simulation.Machines.Readers;
using HmmFast.Topology;

namespace HmmFast.Simulation.Machines;

/// <summary>
/// Reads a kernel's host bridge list from a JSON file, for kernels whose list is not built in:
/// <c>{"name": "mine", "kernelVersion": "7.0", "processors": [{"vendor": "AuthenticAMD", "minFamily": 23}],
/// "lines": [{"vendor": "8086", "device": "3c00", "sameHostBridgeOnly": true}]}</c>. Comments and trailing commas are allowed.
/// </summary>
public static class HostBridgeListFile
{
    /// <summary>The largest file that is read.</summary>
    public const int MaxBytes = 1 << 20;

    private static readonly JsonDocumentOptions Options = new()
    {
        AllowTrailingCommas = true,
        CommentHandling = JsonCommentHandling.Skip,
        MaxDepth = 8,
    };

    /// <summary>A built-in list by name (with added lines), or the list in a file whose name ends in <c>.json</c>.</summary>
    /// <param name="text">Name or file.</param>
    /// <returns>The list.</returns>
    /// <exception cref="FormatException">No such list, or the file is not one; the message names file and value.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static HostBridgeList Open(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!text.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            return HostBridgeList.Parse(text);
        }

        long length = new FileInfo(text).Length;
        return length <= MaxBytes
            ? Parse(File.ReadAllBytes(text), text)
            : throw new FormatException($"{text}: a host bridge list has at most {MaxBytes} bytes, this file {length}");
    }

    /// <summary>Reads a list from a file's content.</summary>
    /// <param name="json">The content.</param>
    /// <param name="name">The file's name, for messages.</param>
    /// <returns>The list.</returns>
    /// <exception cref="FormatException">It is not a list; the message names file and value.</exception>
    public static HostBridgeList Parse(ReadOnlyMemory<byte> json, string name)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Options);
            return Read(document.RootElement, name);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or ArgumentException or FormatException)
        {
            string place = e is JsonException fault ? string.Create(CultureInfo.InvariantCulture, $"{name}:{JsonFault.Line(fault)}") : name;
            throw new FormatException($"{place}: not a host bridge list: {JsonFault.Reason(e)}", e);
        }
    }

    private static HostBridgeList Read(JsonElement root, string name)
    {
        var rules = new List<HostBridgeCpuRule>();
        if (root.TryGetProperty("processors", out JsonElement processors))
        {
            foreach (JsonElement rule in processors.EnumerateArray())
            {
                int family = rule.GetProperty("minFamily").GetInt32();
                if (family is < 0 or > CpuIdentity.MaxFamily)
                {
                    throw new FormatException($"minFamily is 0 to {CpuIdentity.MaxFamily}, not {family}");
                }

                rules.Add(new HostBridgeCpuRule(rule.GetProperty("vendor").GetString() ?? "", family));
            }
        }

        var lines = new List<HostBridgeListEntry>();
        foreach (JsonElement line in root.GetProperty("lines").EnumerateArray())
        {
            bool isSameOnly = line.TryGetProperty("sameHostBridgeOnly", out JsonElement same) && same.GetBoolean();
            lines.Add(new HostBridgeListEntry(Hex(line, "vendor"), Hex(line, "device"), isSameOnly));
        }

        return new HostBridgeList(
            root.GetProperty("name").GetString() ?? "",
            root.TryGetProperty("kernelVersion", out JsonElement version) ? version.GetString() ?? "unknown" : "unknown",
            $"read from {Path.GetFileName(name)}",
            rules.ToArray(),
            lines.ToArray());
    }

    private static ushort Hex(JsonElement line, string property)
    {
        string? text = line.GetProperty(property).GetString();
        return ushort.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort value)
            ? value
            : throw new FormatException($"\"{property}\" is four hexadecimal digits, not '{text}'");
    }
}
