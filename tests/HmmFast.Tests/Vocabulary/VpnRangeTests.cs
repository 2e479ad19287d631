namespace HmmFast.Tests.Vocabulary;

/// <summary>Ranges that are reversed, overflow or end too far: refused with the value and the bound.</summary>
public sealed class VpnRangeTests
{
    private const ulong Limit = VpnRange.LimitVpn;

    [Theory]
    [InlineData(0x1000UL, Limit - 0xFFF)]
    [InlineData(1UL, ulong.MaxValue)]
    [InlineData(Limit, 1UL)]
    [InlineData(Limit - 1, 2UL)]
    [InlineData(0UL, Limit + 1)]
    public void Range_EndPastTheLimitOrOverflowing_NamesCountStartAndLimit(ulong start, ulong pageCount)
    {
        ArgumentOutOfRangeException thrown = Assert.Throws<ArgumentOutOfRangeException>(() => new VpnRange(new Vpn(start), pageCount));
        Assert.Equal(("pageCount", (object)pageCount), (thrown.ParamName, thrown.ActualValue));
        Assert.Contains($"The range of {pageCount} pages from vpn 0x{start:x} ends past page 0x200000000000.", thrown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Limit + 1, 0UL)]
    [InlineData(ulong.MaxValue, 1UL)]
    [InlineData(ulong.MaxValue, ulong.MaxValue)]
    public void Range_StartPastTheLimit_NamesStartAndLimit(ulong start, ulong pageCount)
    {
        ArgumentOutOfRangeException thrown = Assert.Throws<ArgumentOutOfRangeException>(() => new VpnRange(new Vpn(start), pageCount));
        Assert.Equal(("start", (object)new Vpn(start)), (thrown.ParamName, thrown.ActualValue));
        Assert.Contains($"starts at vpn 0x{start:x}, past page 0x200000000000.", thrown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(8UL, 7UL)]
    [InlineData(ulong.MaxValue, 0UL)]
    public void FromBounds_Reversed_NamesBothEnds(ulong start, ulong end)
    {
        ArgumentOutOfRangeException thrown = Assert.Throws<ArgumentOutOfRangeException>(() => VpnRange.FromBounds(new Vpn(start), new Vpn(end)));
        Assert.Equal("end", thrown.ParamName);
        Assert.Contains($"The range is reversed: it starts at vpn 0x{start:x} and ends at vpn 0x{end:x}.", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromBounds_EndPastTheLimit_IsRefusedLikeTheRange()
    {
        ArgumentOutOfRangeException thrown = Assert.Throws<ArgumentOutOfRangeException>(() => VpnRange.FromBounds(new Vpn(5), new Vpn(Limit + 1)));
        Assert.Contains("ends past page 0x200000000000", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Range_UpToTheLimit_IsTaken()
    {
        Assert.Equal(Limit, new VpnRange(default, Limit).End.Value);
        Assert.True(new VpnRange(new Vpn(Limit), 0).IsEmpty);
        Assert.True(VpnRange.FromBounds(new Vpn(9), new Vpn(9)).IsEmpty);
    }
}
