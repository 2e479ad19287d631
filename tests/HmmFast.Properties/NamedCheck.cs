namespace HmmFast.Properties;

/// <summary>A property under a name, so that a test can run it in its process and a planted fault in a child process.</summary>
/// <param name="Name">Kebab case.</param>
/// <param name="Says">What it holds, in a sentence.</param>
/// <param name="QuickCount">Cases in a quick run: enough to catch each planted fault that names the check.</param>
/// <param name="Run">Runs that many cases from a seed; throws <see cref="CheckFailedException"/> at a counterexample.</param>
public sealed record NamedCheck(string Name, string Says, int QuickCount, Action<CheckRun> Run);

/// <summary>How one run of a check is to go.</summary>
/// <param name="Count">Cases to try.</param>
/// <param name="Seed">Where the cases come from; the same seed gives the same cases.</param>
public sealed record CheckRun(int Count, int Seed);

/// <summary>A counterexample was found. The message begins with what differs and ends with the seed.</summary>
public sealed class CheckFailedException : Exception
{
    public CheckFailedException()
    {
    }

    public CheckFailedException(string message)
        : base(message)
    {
    }

    public CheckFailedException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
