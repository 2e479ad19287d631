using System.Text.Json;

namespace HmmFast.Simulation.Traces;

/// <summary>One line of a recording: fields are taken by name and type, each once; a field nobody took is an error.</summary>
internal sealed class TraceLine
{
    private readonly Dictionary<string, JsonElement> _fields = [];
    private readonly string _file;

    internal TraceLine(string file, int lineNumber, JsonElement root)
    {
        _file = file;
        LineNumber = lineNumber;
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw Error($"a line is a JSON object, not {root.ValueKind}");
        }

        foreach (JsonProperty field in root.EnumerateObject())
        {
            if (!_fields.TryAdd(field.Name, field.Value))
            {
                throw Error($"field \"{field.Name}\" stands twice");
            }
        }
    }

    internal int LineNumber { get; }

    internal bool Has(string name) => _fields.ContainsKey(name);

    internal TraceFormatException Error(string reason) => new(_file, LineNumber, reason);

    internal JsonElement Take(string name)
    {
        if (!_fields.Remove(name, out JsonElement value))
        {
            throw Error($"field \"{name}\" is missing");
        }

        return value;
    }

    internal string TakeString(string name)
    {
        JsonElement value = Take(name);
        return value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Error($"field \"{name}\" is text, not {value.ValueKind}");
    }

    internal int TakeInt(string name, int low, int high) => (int)ToLong(Take(name), name, low, high);

    internal ulong TakeCount(string name) => (ulong)ToLong(Take(name), name, 0, long.MaxValue);

    internal bool TakeBit(string name) => TakeInt(name, 0, 1) == 1;

    internal void Drop(string name) => _fields.Remove(name);

    /// <summary>Takes a list of runs; each run is an array of exactly <paramref name="width"/> columns.</summary>
    internal IEnumerable<JsonElement> TakeRuns(string name, int width)
    {
        JsonElement list = Take(name);
        if (list.ValueKind != JsonValueKind.Array)
        {
            throw Error($"field \"{name}\" is a list of runs, not {list.ValueKind}");
        }

        foreach (JsonElement run in list.EnumerateArray())
        {
            if (run.ValueKind != JsonValueKind.Array || run.GetArrayLength() != width)
            {
                throw Error($"a run of \"{name}\" has {width} columns, not {run.GetRawText()}");
            }

            yield return run;
        }
    }

    internal long ToLong(JsonElement value, string name, long low, long high)
    {
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt64(out long number))
        {
            throw Error($"\"{name}\" is a whole number, not {value.GetRawText()}");
        }

        if (number < low || number > high)
        {
            throw Error($"\"{name}\" is {number}, outside {low} to {high}");
        }

        return number;
    }

    internal string ToText(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Error($"\"{name}\" is text, not {value.GetRawText()}");

    internal void ExpectNothingLeft()
    {
        foreach (string name in _fields.Keys)
        {
            throw Error($"unknown field \"{name}\"");
        }
    }
}
