using HmmFast.Policies;

namespace HmmFast.Properties.Equivalence;

/// <summary>Nobody's proposal: hands out the private pages of devices with one bit of their number set, so that words tell which device a page is taken for.</summary>
internal sealed class LabelPolicy(int bit) : IHmmPolicy
{
    public string Name => "label";

    public ForeignPageAnswer Decide(in ForeignPageQuestion question) =>
        ((question.Provider.Index >> bit) & 1) != 0 ? ForeignPageAnswer.Private() : ForeignPageAnswer.Fall();
}
