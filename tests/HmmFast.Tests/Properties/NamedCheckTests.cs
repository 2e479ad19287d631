using System.Globalization;
using HmmFast.Kernels;
using HmmFast.Properties;
using Xunit.Abstractions;

namespace HmmFast.Tests.Properties;

/// <summary>
/// Runs every named check from a seed of its own, printed. HMMFAST_CASES sets how many cases, HMMFAST_SEED which. Names without a width stand for the best one, which has
/// a name of its own: they are for planted faults, and not run twice here.
/// </summary>
public sealed class NamedCheckTests(ITestOutputHelper output)
{
    // As many as keep the whole test run at a few minutes; planted faults take their check's own count.
    private const int MostCases = 100;

    public static TheoryData<string> Names =>
        [.. CheckCatalog.All.Select(check => check.Name).Where(name => !CheckCatalog.All.Any(other => other.Name == $"{name}-{KernelSet.All[0].Name}"))];

    [Theory]
    [MemberData(nameof(Names))]
    public void Check_RandomCases_Holds(string name) => CheckCatalog.Run(
        name, output.WriteLine, Number("HMMFAST_CASES") ?? Math.Min(MostCases, CheckCatalog.Find(name).QuickCount), Number("HMMFAST_SEED"));

    [Fact]
    public void Find_UnknownName_SaysWhichThereAre()
    {
        ArgumentException thrown = Assert.Throws<ArgumentException>(() => CheckCatalog.Find("equivalance"));

        Assert.Contains("equivalence-core-scalar", thrown.Message, StringComparison.Ordinal);
    }

    private static int? Number(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
