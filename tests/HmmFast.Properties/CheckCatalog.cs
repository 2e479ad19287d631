using HmmFast.Properties.Equivalence;
using HmmFast.Properties.Kernels;
using HmmFast.Properties.Policies;
using HmmFast.Properties.Topology;

namespace HmmFast.Properties;

/// <summary>Every named check.</summary>
public static class CheckCatalog
{
    /// <summary>All of them, by room.</summary>
    public static IReadOnlyList<NamedCheck> All { get; } =
    [
        .. SmallSpaces.All,
        .. EquivalenceChecks.All,
        .. PolicyChecksCatalog.All,
        .. P2PdmaChecks.All,
        .. KernelChecks.All,
        .. KernelBoundsChecks.All,
    ];

    /// <summary>The check of a name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static NamedCheck Find(string name)
    {
        foreach (NamedCheck check in All)
        {
            if (check.Name == name)
            {
                return check;
            }
        }

        throw new ArgumentException($"There is no check named \"{name}\"; there are: {string.Join(", ", All.Select(check => check.Name))}.", nameof(name));
    }

    /// <summary>Runs a check with a seed of its own, printed first, as tests do.</summary>
    public static void Run(string name, Action<string> print, int? count = null, int? seed = null)
    {
        NamedCheck check = Find(name);
        int actualSeed = seed ?? Random.Shared.Next();
        int actualCount = count ?? check.QuickCount;
        print($"{name}: {actualCount} cases from seed {actualSeed}");
        try
        {
            check.Run(new CheckRun(actualCount, actualSeed));
        }
        catch (Exception thrown) when (thrown is not (CheckFailedException or OutOfMemoryException or NullReferenceException))
        {
            // What the code under test throws at a call that is in order is an answer, and a wrong one. Not so a touch of memory that is not there, which the
            // runtime tells as a null reference where it can: guarded buffers want the process to die of it.
            throw new CheckFailedException($"thrown: {thrown.GetType().Name}: {thrown.Message}\n{thrown.StackTrace}\nseed {actualSeed}", thrown);
        }
    }
}
