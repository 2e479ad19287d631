namespace HmmFast.Simulation.Captures;

/// <summary>A capture could not be taken, written or read. The message names the place, the value and the bound.</summary>
public sealed class CaptureException : Exception
{
    /// <summary>Reports a problem.</summary>
    /// <param name="place">The file, process or part that it concerns.</param>
    /// <param name="problem">What is wrong, with the value and the bound.</param>
    /// <param name="inner">The cause, where there is one.</param>
    public CaptureException(string place, string problem, Exception? inner = null)
        : base($"{place}: {problem}", inner)
    {
        Place = place;
        Problem = problem;
    }

    /// <summary>The file, process or part that it concerns.</summary>
    public string Place { get; }

    /// <summary>What is wrong, without the place.</summary>
    public string Problem { get; }
}
