using System.Globalization;
using HmmFast.Topology;

namespace HmmFast.Simulation.Machines.Readers;

/// <summary>
/// The distance matrices of hwloc 2 and 3: bandwidths of NVLink and xGMI between objects, named by type and gp_index. Matrices of
/// anything else (NUMA latencies) are read over.
/// </summary>
internal sealed class HwlocDistances(HardenedXml xml, MachineDraft machine)
{
    private const int MaxObjects = 4096;

    private readonly Dictionary<string, (string Name, PciAddress? Address)> _objects = new(StringComparer.Ordinal);
    private readonly List<Matrix> _matrices = [];

    /// <summary>Gives an object the name that links to it will use.</summary>
    public void Name(string typeAndIndex, string name, PciAddress? address) => _objects[typeAndIndex] = (name, address);

    /// <summary>At a distances2 or distances2hetero element: begins its matrix.</summary>
    public void Begin()
    {
        string name = xml.Attribute("name") ?? "";
        LinkKind? kind = name switch
        {
            "NVLinkBandwidth" => LinkKind.NvLink,
            "XGMIBandwidth" => LinkKind.Xgmi,
            _ => null,
        };
        int count = xml.Int("nbobjs") ?? 0;
        if (kind is not null && count is < 1 or > MaxObjects)
        {
            throw xml.Error(count.ToString(CultureInfo.InvariantCulture), $"a matrix has 1 to {MaxObjects} objects");
        }

        if (kind is null && name is not ("NUMALatency" or "XGMIHops" or ""))
        {
            machine.Remarks.Add($"line {xml.Line}: matrix '{name}' read over");
        }

        _matrices.Add(new Matrix(kind, count, xml.Attribute("type"), xml.Line));
    }

    /// <summary>The text of an indexes or u64values element belongs to the matrix begun last.</summary>
    public void AddText(string? element, string text)
    {
        if (_matrices.Count == 0 || _matrices[^1] is not { Kind: not null } matrix || element is not ("indexes" or "u64values"))
        {
            return;
        }

        foreach (string word in text.Split((char[])[' ', '\n', '\r', '\t'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (element == "indexes")
            {
                matrix.Indexes.Add(matrix.Type is null ? word : $"{matrix.Type}:{word}");
            }
            else if (ulong.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value))
            {
                matrix.Values.Add(value);
            }
            else
            {
                throw xml.Error(word, "a whole number expected in the matrix");
            }

            if (matrix.Indexes.Count > matrix.Count || matrix.Values.Count > matrix.Count * matrix.Count)
            {
                throw xml.Error(word, $"more indexes or values than a matrix of {matrix.Count} objects has");
            }
        }
    }

    /// <summary>At the end of the file: makes links of what is not zero beside the diagonal.</summary>
    public void AddLinks()
    {
        foreach (Matrix matrix in _matrices)
        {
            if (matrix.Kind is not LinkKind kind)
            {
                continue;
            }

            if (matrix.Indexes.Count != matrix.Count || matrix.Values.Count != matrix.Count * matrix.Count)
            {
                throw new MachineReadException(machine.Source, matrix.Line, null,
                    $"a matrix of {matrix.Count} objects has {matrix.Indexes.Count} indexes and {matrix.Values.Count} values");
            }

            for (int i = 0; i < matrix.Values.Count; i++)
            {
                int from = i / matrix.Count;
                int to = i % matrix.Count;
                if (matrix.Values[i] != 0 && from != to)
                {
                    Add(kind, matrix, matrix.Indexes[from], matrix.Indexes[to], matrix.Values[i]);
                }
            }
        }
    }

    private void Add(LinkKind kind, Matrix matrix, string from, string to, ulong bandwidth)
    {
        (string fromName, PciAddress? fromAddress) = Find(matrix, from);
        (string toName, PciAddress? toAddress) = Find(matrix, to);
        machine.Links.Add(new()
        {
            From = fromName,
            FromAddress = fromAddress,
            To = toName,
            ToAddress = toAddress,
            Kind = kind,
            BandwidthMegabytesPerSecond = bandwidth,
        });
    }

    private (string Name, PciAddress? Address) Find(Matrix matrix, string key) => _objects.TryGetValue(key, out (string, PciAddress?) found)
        ? found
        : throw new MachineReadException(machine.Source, matrix.Line, key, "the matrix names an object that is not in the file");

    private sealed record Matrix(LinkKind? Kind, int Count, string? Type, int Line)
    {
        public List<string> Indexes { get; } = [];

        public List<ulong> Values { get; } = [];
    }
}
