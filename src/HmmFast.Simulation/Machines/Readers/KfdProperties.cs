using System.Globalization;

namespace HmmFast.Simulation.Machines.Readers;

/// <summary>A properties file of kfd: lines of a name and a number.</summary>
internal sealed class KfdProperties
{
    private readonly Dictionary<string, (ulong Value, int Line)> _values = new(StringComparer.Ordinal);

    public KfdProperties(string file, byte[] bytes)
    {
        File = file;
        var text = new SourceText(file, bytes);
        for (int i = 0; i < text.Lines.Count; i++)
        {
            string line = text.Lines[i].Trim();
            if (line.Length == 0)
            {
                continue;
            }

            int blank = line.IndexOf(' ', StringComparison.Ordinal);
            if (blank < 0 || !ulong.TryParse(line.AsSpan(blank + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ulong value))
            {
                throw text.Error(i + 1, line, "a name and a whole number expected");
            }

            _values[line[..blank]] = (value, i + 1);
        }
    }

    public string File { get; }

    public ulong? Optional(string name) => _values.TryGetValue(name, out (ulong Value, int Line) found) ? found.Value : null;

    public ulong Required(string name) => Optional(name)
        ?? throw new MachineReadException(File, 0, name, "this property is missing: the file is cut short or of another kind");

    public int LineOf(string name) => _values.TryGetValue(name, out (ulong Value, int Line) found) ? found.Line : 0;

    public MachineReadException Error(string name, string problem) =>
        new(File, LineOf(name), string.Create(CultureInfo.InvariantCulture, $"{name} {Optional(name)}"), problem);
}
