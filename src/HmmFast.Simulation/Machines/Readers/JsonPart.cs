using System.Text.Json;
using HmmFast.Topology;

namespace HmmFast.Simulation.Machines.Readers;

/// <summary>
/// A value of a JSON text that remembers its line. Objects are read by taking their members; what nobody took is refused at the end,
/// naming the nearest member that exists.
/// </summary>
internal sealed class JsonPart
{
    private const int MaxDepth = 64;
    private const int MaxParts = 2_000_000;

    private readonly SourceText _text;
    private readonly Dictionary<string, JsonPart>? _members;
    private readonly List<JsonPart>? _items;
    private readonly HashSet<string>? _known;

    private JsonPart(SourceText text, int line, JsonTokenType kind, string? value)
    {
        _text = text;
        Line = line;
        Kind = kind;
        Value = value;
        _members = kind == JsonTokenType.StartObject ? new(StringComparer.Ordinal) : null;
        _known = kind == JsonTokenType.StartObject ? new(StringComparer.Ordinal) : null;
        _items = kind == JsonTokenType.StartArray ? [] : null;
    }

    public int Line { get; }

    public JsonTokenType Kind { get; }

    /// <summary>The text of a string or a number.</summary>
    public string? Value { get; }

    public bool IsNull => Kind == JsonTokenType.Null;

    public bool IsText => Kind == JsonTokenType.String;

    public bool IsObject => _members is not null;

    /// <summary>Reads a whole text: comments and trailing commas are allowed, depth and count bounded.</summary>
    public static JsonPart Parse(SourceText text)
    {
        var reader = new Utf8JsonReader(text.Bytes.Span, new JsonReaderOptions
        {
            CommentHandling = JsonCommentHandling.Skip,
            AllowTrailingCommas = true,
            MaxDepth = MaxDepth,
        });
        int line = 1;
        long counted = 0;
        int parts = 0;
        JsonPart? root = null;
        string? member = null;
        var open = new Stack<JsonPart>();
        try
        {
            while (reader.Read())
            {
                line += text.Bytes.Span[(int)counted..(int)reader.TokenStartIndex].Count((byte)'\n');
                counted = reader.TokenStartIndex;
                switch (reader.TokenType)
                {
                    case JsonTokenType.PropertyName:
                        member = reader.GetString();
                        continue;
                    case JsonTokenType.EndObject or JsonTokenType.EndArray:
                        open.Pop();
                        continue;
                    default:
                        break;
                }

                if (++parts > MaxParts)
                {
                    throw text.Error(line, null, $"more than {MaxParts} values");
                }

                string? value = reader.TokenType == JsonTokenType.String ? reader.GetString()
                    : reader.TokenType == JsonTokenType.Number ? System.Text.Encoding.ASCII.GetString(reader.ValueSpan) : null;
                var part = new JsonPart(text, line, reader.TokenType, value);
                if (open.TryPeek(out JsonPart? above))
                {
                    above.Add(member, part);
                }
                else
                {
                    root = part;
                }

                if (part.IsObject || part._items is not null)
                {
                    open.Push(part);
                }
            }
        }
        catch (JsonException fault)
        {
            throw new MachineReadException(text.Name, (int)(fault.LineNumber ?? 0) + 1, null, $"not well-formed JSON: {FirstSentence(fault.Message)}", fault);
        }
        catch (InvalidOperationException fault)
        {
            // A string with half a surrogate pair in it.
            throw new MachineReadException(text.Name, line, null, $"not well-formed JSON: {FirstSentence(fault.Message)}", fault);
        }

        return root ?? throw text.Error(0, null, "no JSON value");
    }

    public MachineReadException Error(string problem) => _text.Error(Line, Show(), problem);

    /// <summary>A member, null when it is not there or null.</summary>
    public JsonPart? Take(string name)
    {
        if (_members is null || _known is null)
        {
            throw Error("an object expected");
        }

        _known.Add(name);
        return _members.TryGetValue(name, out JsonPart? part) && !part.IsNull ? part : null;
    }

    public bool Has(string name) => _members?.ContainsKey(name) == true;

    public JsonPart Require(string name) => Take(name) ?? throw Error($"the member '{name}' is missing");

    public IReadOnlyList<JsonPart> Items() => _items ?? throw Error("an array expected");

    /// <summary>Refuses members that nobody took.</summary>
    public void Finish()
    {
        foreach ((string name, JsonPart part) in _members ?? [])
        {
            if (_known?.Contains(name) == false)
            {
                throw _text.Error(part.Line, name, $"unknown member; the nearest known one is '{Nearest(name, _known)}'");
            }
        }
    }

    public string Text() => IsText ? Value! : throw Error("a string expected");

    public string? Text(string name) => Take(name)?.Text();

    public bool? Bool(string name) => Take(name) is not JsonPart part ? null
        : part.Kind == JsonTokenType.True ? true
        : part.Kind == JsonTokenType.False ? false
        : throw part.Error("true or false expected");

    public int? Int(string name, int max)
    {
        if (Take(name) is not JsonPart part)
        {
            return null;
        }

        return part.Kind == JsonTokenType.Number && Numbers.TryInt(part.Value, out int number) && number <= max
            ? number
            : throw part.Error($"a whole number from 0 to {max} expected");
    }

    public double? Real(string name)
    {
        if (Take(name) is not JsonPart part)
        {
            return null;
        }

        return part.Kind == JsonTokenType.Number && double.TryParse(part.Value, System.Globalization.NumberStyles.Float,
            System.Globalization.CultureInfo.InvariantCulture, out double number) && double.IsFinite(number) && number >= 0
            ? number
            : throw part.Error("a number, not negative, expected");
    }

    public ulong? Hex(string name, ulong max)
    {
        if (Take(name) is not JsonPart part)
        {
            return null;
        }

        return part.IsText && Numbers.TryHex(part.Value, max, out ulong number)
            ? number
            : throw part.Error($"a string with a hexadecimal number up to \"{max:x}\" expected");
    }

    public PciAddress Address() => IsText && PciAddress.TryParse(Value, out PciAddress address)
        ? address
        : throw Error("a string with a PCI address \"dddd:bb:dd.f\" expected");

    public PciBusAddress Bus() => IsText && PciBusAddress.TryParse(Value, out PciBusAddress bus)
        ? bus
        : throw Error("a string with a bus \"dddd:bb\" expected");

    public T Enum<T>()
        where T : struct, Enum
    {
        string text = Text();
        foreach (T value in System.Enum.GetValues<T>())
        {
            if (JsonNamingPolicy.CamelCase.ConvertName(value.ToString()) == text)
            {
                return value;
            }
        }

        string[] names = [.. System.Enum.GetValues<T>().Select(static value => JsonNamingPolicy.CamelCase.ConvertName(value.ToString()))];
        throw Error($"unknown {typeof(T).Name}; known are {string.Join(", ", names)}");
    }

    private void Add(string? member, JsonPart part)
    {
        if (_items is not null)
        {
            _items.Add(part);
        }
        else if (!_members!.TryAdd(member ?? "", part))
        {
            throw _text.Error(part.Line, member, "this member occurs twice in its object");
        }
    }

    private string Show() => Kind switch
    {
        JsonTokenType.StartObject => "{...}",
        JsonTokenType.StartArray => "[...]",
        JsonTokenType.True => "true",
        JsonTokenType.False => "false",
        JsonTokenType.Null => "null",
        _ => Value ?? "",
    };

    private static string FirstSentence(string message)
    {
        int end = message.IndexOf(". ", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }

    private static string Nearest(string name, HashSet<string> known)
    {
        string best = "";
        int least = int.MaxValue;
        foreach (string candidate in known)
        {
            int distance = Distance(name.Length > 64 ? name[..64] : name, candidate);
            if (distance < least)
            {
                least = distance;
                best = candidate;
            }
        }

        return best;
    }

    private static int Distance(string left, string right)
    {
        int[] row = new int[right.Length + 1];
        for (int j = 0; j <= right.Length; j++)
        {
            row[j] = j;
        }

        for (int i = 1; i <= left.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= right.Length; j++)
            {
                int change = diagonal + (char.ToLowerInvariant(left[i - 1]) == char.ToLowerInvariant(right[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(change, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[right.Length];
    }
}
