using System.Text;

namespace HmmFast.Simulation.Captures;

/// <summary>Writes numbers as variable-length bytes (seven bits a byte, lowest first): small numbers, which columns are made of, take one byte.</summary>
internal sealed class ColumnWriter
{
    private byte[] _bytes = new byte[4096];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public void Byte(byte value)
    {
        if (Length == _bytes.Length)
        {
            Array.Resize(ref _bytes, checked(_bytes.Length * 2));
        }

        _bytes[Length++] = value;
    }

    public void Number(ulong value)
    {
        while (value >= 0x80)
        {
            Byte((byte)(value | 0x80));
            value >>= 7;
        }

        Byte((byte)value);
    }

    /// <summary>A signed difference, folded so that small ones of either sign stay short.</summary>
    public void Difference(ulong from, ulong to)
    {
        long delta = unchecked((long)(to - from));
        Number(unchecked((ulong)((delta << 1) ^ (delta >> 63))));
    }

    public void Text(string value)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(value);
        Number((ulong)utf8.Length);
        foreach (byte b in utf8)
        {
            Byte(b);
        }
    }
}
