namespace HmmFast.Benchmarks.Bars;

/// <summary>One thing to time against others: a name, the work, and how many pages one run of it handles.</summary>
/// <param name="Name">Shown in tables and kept in the result files.</param>
/// <param name="PageCount">Pages that one run handles.</param>
/// <param name="Run">The work, once.</param>
/// <param name="Prepare">Done before each run, outside the time; null when nothing needs to be.</param>
/// <param name="ExcludedNs">Nanoseconds of the last run that are not the work's (a driver's own part between two calls); null when all of it counts.</param>
public sealed record Contender(string Name, ulong PageCount, Action Run, Action? Prepare = null, Func<long>? ExcludedNs = null);
