using System.Text;

namespace HmmFast.Simulation.Captures;

/// <summary>Reads what <see cref="ColumnWriter"/> wrote; every number is checked against a bound before it is used.</summary>
internal ref struct ColumnReader
{
    private const int MaxTextBytes = 4096;
    private readonly ReadOnlySpan<byte> _bytes;
    private int _position;

    public ColumnReader(ReadOnlySpan<byte> bytes)
    {
        _bytes = bytes;
        _position = 0;
    }

    public readonly int Left => _bytes.Length - _position;

    public byte Byte(string what, byte max)
    {
        if (_position >= _bytes.Length)
        {
            throw new CaptureException(what, $"the data ends after {_bytes.Length} bytes.");
        }

        byte value = _bytes[_position++];
        return value <= max ? value : throw new CaptureException(what, $"{value} is larger than {max}.");
    }

    public ulong Number(string what, ulong max)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = Byte(what, byte.MaxValue);
            if (shift == 63 && next > 1)
            {
                throw new CaptureException(what, "a number has more than 64 bits.");
            }

            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                // One number, one spelling: otherwise two different files would say the same.
                if (next == 0 && shift != 0)
                {
                    throw new CaptureException(what, "a number is written longer than it is.");
                }

                break;
            }
        }

        return value <= max ? value : throw new CaptureException(what, $"{value} is larger than {max}.");
    }

    public ulong Difference(string what, ulong from, ulong max)
    {
        ulong folded = Number(what, ulong.MaxValue);
        ulong value = unchecked(from + ((folded >> 1) ^ (0 - (folded & 1))));
        return value <= max ? value : throw new CaptureException(what, $"0x{value:x} is larger than 0x{max:x}.");
    }

    public bool Flag(string what) => Byte(what, 1) != 0;

    /// <summary>A count of things that take at least <paramref name="bytesEach"/> bytes of what is left: a false count cannot ask for memory.</summary>
    public int Count(string what, ulong max, int bytesEach) =>
        (int)Number(what, Math.Min(max, (ulong)(Left / bytesEach)));

    public string Text(string what)
    {
        int length = (int)Number(what, MaxTextBytes);
        if (length > Left)
        {
            throw new CaptureException(what, $"a text of {length} bytes, and {Left} are left.");
        }

        string text = Encoding.UTF8.GetString(_bytes.Slice(_position, length));
        _position += length;
        return text;
    }
}
