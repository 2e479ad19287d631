namespace HmmFast.Kernels;

/// <summary>
/// The byte a decision table holds per class. Its top three bits become the top three bits of the result word, so that a look-up and a shift
/// are all a page costs; the lowest two say that the page cannot be answered without work.
/// </summary>
/// <remarks>
/// <code>
/// bit   7      6      5      4..2                        1..0
///       valid  write  error  kind (one bit each)         work: 0 none, else stop
/// word  63     62     61     WordFormat.KindShift up     -
/// </code>
/// The frame number is put in exactly when <see cref="Valid"/> is set. Example: class 9 is "present, writable", its byte is 0xC0; a page of class 9 with
/// frame 0x1234 gives 0xC000_0000_0000_1234.
/// </remarks>
public static class Resolution
{
    /// <summary>Readable: sets bit 63 and puts the frame number in.</summary>
    public const byte Valid = 0x80;

    /// <summary>Writable: sets bit 62.</summary>
    public const byte Write = 0x40;

    /// <summary>Can never be given: sets bit 61.</summary>
    public const byte Error = 0x20;

    /// <summary>The three kind bits; they must be 0 unless the word format has a place for them.</summary>
    public const byte KindMask = 0x1C;

    /// <summary>How far the kind bits are shifted inside the byte.</summary>
    public const int KindBit = 2;

    /// <summary>Any of these bits stops a resolve at the page. What the three values mean is the table maker's choice.</summary>
    public const byte WorkMask = 0x03;

    /// <summary>Nothing there and nothing asked: the word 0.</summary>
    public const byte Nothing = 0;
}
