using System.Globalization;
using HmmFast.Properties;
using Xunit.Abstractions;

namespace HmmFast.Tests.Properties;

/// <summary>Runs every named check from a seed of its own, printed. HMMFAST_CASES sets how many cases, HMMFAST_SEED which.</summary>
public sealed class NamedCheckTests(ITestOutputHelper output)
{
    public static TheoryData<string> Names => [.. CheckCatalog.All.Select(check => check.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Check_RandomCases_Holds(string name) => CheckCatalog.Run(name, output.WriteLine, Number("HMMFAST_CASES"), Number("HMMFAST_SEED"));

    [Fact]
    public void Find_UnknownName_SaysWhichThereAre()
    {
        ArgumentException thrown = Assert.Throws<ArgumentException>(() => CheckCatalog.Find("equivalance"));

        Assert.Contains("equivalence-core-scalar", thrown.Message, StringComparison.Ordinal);
    }

    private static int? Number(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
