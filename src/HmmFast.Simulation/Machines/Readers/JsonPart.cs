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
            throw new MachineReadException(text.Name, JsonFault.Line(fault), null, $"not well-formed JSON: {JsonFault.Reason(fault)}", fault);
        }
        catch (InvalidOperationException fault)
        {
            // A string with half a surrogate pair in it.
            throw new MachineReadException(text.Name, line, null, $"not well-formed JSON: {JsonFault.Reason(fault)}", fault);
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

    /// <summary>A member that must be there; where it is not, but one that looks like it misspelt, that one is named.</summary>
    public JsonPart Require(string name)
    {
        if (Take(name) is { } part)
        {
            return part;
        }

        foreach ((string member, JsonPart misspelt) in _members!)
        {
            if (_known!.Contains(member) == false && NearestName.IsNear(member, name))
            {
                throw _text.Error(misspelt.Line, member, $"unknown member; the nearest known one is '{name}', which is missing");
            }
        }

        throw Error($"the member '{name}' is missing");
    }

    /// <summary>Names all members that there are, before any is read: others are refused at once, instead of the first one that they leave missing.</summary>
    public JsonPart Expect(params ReadOnlySpan<string> names)
    {
        if (_known is null)
        {
            throw Error("an object expected");
        }

        foreach (string name in names)
        {
            _known.Add(name);
        }

        Finish();
        return this;
    }

    public IReadOnlyList<JsonPart> Items() => _items ?? throw Error("an array expected");

    /// <summary>Refuses members that nobody took.</summary>
    public void Finish()
    {
        foreach ((string name, JsonPart part) in _members ?? [])
        {
            if (_known?.Contains(name) == false)
            {
                throw _text.Error(part.Line, name, $"unknown member; the nearest known one is '{NearestName.Find(name, _known)}'");
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

    /// <summary>A word of an enumeration in camel case.</summary>
    /// <param name="what">What such a word is called in the file.</param>
    public T Enum<T>(string what)
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
        throw Unknown(what, names);
    }

    /// <summary>A word that is none of the known ones: names the nearest and all of them.</summary>
    public MachineReadException Unknown(string what, IReadOnlyCollection<string> known) => Error(known.Count == 0
        ? $"unknown {what}; there is none"
        : $"unknown {what}; the nearest known one is '{NearestName.Find(Text(), known)}'; known are {string.Join(", ", known)}");

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

    // Objects and arrays have no short form worth showing; the line tells where they begin.
    private string? Show() => Kind switch
    {
        JsonTokenType.StartObject or JsonTokenType.StartArray => null,
        JsonTokenType.True => "true",
        JsonTokenType.False => "false",
        JsonTokenType.Null => "null",
        _ => Value ?? "",
    };
}
