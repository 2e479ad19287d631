using System.Globalization;
using System.Xml;
using HmmFast.Topology;

namespace HmmFast.Simulation.Machines.Readers;

/// <summary>
/// An XML reader that trusts nothing: no DTD is read (a DOCTYPE line alone is passed over), no entity declared, nothing fetched, depth
/// and size bounded. Faults of the text become <see cref="MachineReadException"/> with file and line.
/// </summary>
internal sealed class HardenedXml : IDisposable
{
    /// <summary>Deeper nesting is refused; hwloc's deepest real files have about 20 levels.</summary>
    public const int MaxDepth = 256;

    private readonly SourceText _text;
    private readonly XmlReader _reader;

    public HardenedXml(SourceText text)
    {
        _text = text;
        int entity = text.Bytes.Span.IndexOf("<!ENTITY"u8);
        if (entity >= 0)
        {
            throw text.Error(SourceText.LineAt(text.Bytes.Span, entity), "<!ENTITY", "entity declarations are refused: no machine's description needs them");
        }

        _reader = XmlReader.Create(
            new StringReader(System.Text.Encoding.UTF8.GetString(text.Bytes.Span)),
            new XmlReaderSettings
            {
                DtdProcessing = DtdProcessing.Ignore,
                XmlResolver = null,
                MaxCharactersFromEntities = 1024,
                MaxCharactersInDocument = MachineReader.MaxFileBytes,
                IgnoreComments = true,
                IgnoreProcessingInstructions = true,
                IgnoreWhitespace = true,
                CloseInput = true,
            });
    }

    public string Name => _reader.LocalName;

    public int Line => _reader is IXmlLineInfo info ? info.LineNumber : 0;

    public bool IsEmpty => _reader.IsEmptyElement;

    public XmlNodeType Kind => _reader.NodeType;

    /// <summary>The text of a text node. It is decoded when asked for, so faults in it show here.</summary>
    public string Text => Guarded(static reader => reader.Value);

    /// <summary>Moves on to the next node; false at the end of the document.</summary>
    public bool Read()
    {
        bool more = Guarded(static reader => reader.Read());
        if (_reader.Depth > MaxDepth)
        {
            throw _text.Error(Line, _reader.LocalName, $"elements nested deeper than {MaxDepth} levels are refused");
        }

        return more;
    }

    public string? Attribute(string name) => Guarded(reader => reader.GetAttribute(name));

    public MachineReadException Error(string? value, string problem) => _text.Error(Line, value, problem);

    public string Required(string name) =>
        Attribute(name) ?? throw Error(_reader.LocalName, $"the element has no attribute '{name}'");

    public PciAddress Address(string name)
    {
        string value = Required(name);
        return PciAddress.TryParse(value, out PciAddress address)
            ? address
            : throw Error(value, $"the attribute '{name}' is no PCI address dddd:bb:dd.f");
    }

    public ushort? Hex16(string name)
    {
        string? value = Attribute(name);
        return string.IsNullOrEmpty(value) ? null
            : Numbers.TryHex16(value, out ushort number) ? number
            : throw Error(value, $"the attribute '{name}' is a hexadecimal number of up to 16 bits");
    }

    public int? Int(string name)
    {
        string? value = Attribute(name);
        return string.IsNullOrEmpty(value) ? null
            : int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) ? number
            : throw Error(value, $"the attribute '{name}' is a whole number");
    }

    public double? Real(string name)
    {
        string? value = Attribute(name);
        return string.IsNullOrEmpty(value) ? null
            : Numbers.TryReal(value, out double number) && double.IsFinite(number) ? number
            : throw Error(value, $"the attribute '{name}' is a number");
    }

    private T Guarded<T>(Func<XmlReader, T> read)
    {
        try
        {
            return read(_reader);
        }
        catch (XmlException fault)
        {
            throw new MachineReadException(_text.Name, fault.LineNumber, null, $"not well-formed XML: {fault.Message}", fault);
        }
    }

    public void Dispose() => _reader.Dispose();
}
