using HmmFast.Policies;
using HmmFast.Simulation.Comparison;
using HmmFast.Simulation.Costs;

namespace HmmFast.Tests.Policies;

/// <summary>The cost model's figures and the break-even by hand, and what a window refuses.</summary>
public class CostTests
{
    [Theory]
    [InlineData(100, 10, 1000, 1, 100.0, "migrating pays after so many uses")]
    [InlineData(1000, 1, 100, 10, 100.0, "this policy pays after so many uses")]
    [InlineData(100, 1, 1000, 1, null, "migrating never pays")]
    [InlineData(100, 1, 1000, 2, null, "migrating never pays")]
    [InlineData(1000, 2, 100, 1, 0.0, "migrating pays at once")]
    [InlineData(1000, 1, 100, 1, 0.0, "migrating pays at once")]
    [InlineData(100, 10, 100, 10, null, "as owner-only")]
    public void BreakEven_BySetupAndUse_SaysAfterHowManyUses(double setup, double use, double baseSetup, double baseUse, double? uses, string meaning) =>
        Assert.Equal(new BreakEven(uses, meaning), BreakEven.Against(setup, use, baseSetup, baseUse));

    [Fact]
    public void With_OneFigure_ChangesItAndItsSourceAlone()
    {
        CostModel model = CostModel.Default.With(new Dictionary<string, double> { ["faultPageNs"] = 0 }, "mine");
        Assert.Equal(0, model["faultPageNs"]);
        Assert.Equal("mine", model.Figures.Single(figure => figure.Name == "faultPageNs").Source);
        Assert.Equal(CostModel.Default.Figures.Where(figure => figure.Name != "faultPageNs"), model.Figures.Where(figure => figure.Name != "faultPageNs"));
        Assert.Equal(500, CostModel.Default["faultPageNs"]);
    }

    [Theory]
    [InlineData("faultPagesNs", 1, "\"faultPagesNs\"")]
    [InlineData("faultPageNs", -1, "-1")]
    [InlineData("faultPageNs", double.NaN, "faultPageNs")]
    [InlineData("linkBytesPerSecond", 0, "a bandwidth not 0")]
    public void With_WhatIsNoFigure_IsRefusedByName(string name, double value, string says)
    {
        ArgumentException thrown = Assert.Throws<ArgumentException>(() => CostModel.Default.With(new Dictionary<string, double> { [name] = value }, "mine"));
        Assert.Contains(says, thrown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1000, 100, 1099, 10)]
    [InlineData(1000, 100, 990, 11)]
    [InlineData(1000, 100, 1000, 100)]
    [InlineData(1000, 100, 900, 400)]
    public void Window_OverItsOwnMemory_IsRefused(ulong first, ulong count, ulong alias, ulong aliasCount) => Assert.Throws<ArgumentOutOfRangeException>(
        () => AliasWindow.Create(new Pfn(first), count, new Pfn(alias), aliasCount, 1));

    [Theory]
    [InlineData(1000, 100, 1100, 10)]
    [InlineData(1000, 100, 990, 10)]
    public void Window_BesideItsMemory_IsMade(ulong first, ulong count, ulong alias, ulong aliasCount) =>
        Assert.True(AliasWindow.Create(new Pfn(first), count, new Pfn(alias), aliasCount, 1).Contains(new Pfn(alias)));
}
