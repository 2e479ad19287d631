using System.Globalization;

namespace HmmFast.Simulation.Machines;

/// <summary>A machine's description could not be read. The message names the file, the line, the value and what was expected.</summary>
public sealed class MachineReadException : Exception
{
    private const int MaxValueLength = 80;

    /// <summary>Reports a problem at a place of a file.</summary>
    /// <param name="file">The file (or the member of a packed file).</param>
    /// <param name="line">The line, from 1; 0 = the file as a whole.</param>
    /// <param name="value">The value found there, shown shortened and on one line; <see langword="null"/> = none to show.</param>
    /// <param name="problem">What is wrong and what was expected.</param>
    /// <param name="inner">The cause, where another reader found it.</param>
    public MachineReadException(string file, int line, string? value, string problem, Exception? inner = null)
        : base(Compose(file, line, value, problem), inner)
    {
        File = file;
        Line = line;
        Value = value is null ? null : Shorten(value);
        Problem = problem;
    }

    /// <summary>The file.</summary>
    public string File { get; }

    /// <summary>The line, from 1; 0 = the file as a whole.</summary>
    public int Line { get; }

    /// <summary>The value found, shortened to 80 characters, control characters replaced; <see langword="null"/> = none.</summary>
    public string? Value { get; }

    /// <summary>What is wrong and what was expected, without the place.</summary>
    public string Problem { get; }

    private static string Compose(string file, int line, string? value, string problem)
    {
        string place = line > 0 ? string.Create(CultureInfo.InvariantCulture, $"{file}:{line}") : file;
        return value is null ? $"{place}: {problem}" : $"{place}: '{Shorten(value)}': {problem}";
    }

    // Values come from files of any kind: no control characters on a terminal, no megabytes in a message.
    private static string Shorten(string value)
    {
        ReadOnlySpan<char> head = value.AsSpan(0, Math.Min(value.Length, MaxValueLength));
        char[] clean = new char[head.Length];
        for (int i = 0; i < head.Length; i++)
        {
            clean[i] = char.IsControl(head[i]) || char.IsSurrogate(head[i]) ? '?' : head[i];
        }

        return value.Length > MaxValueLength ? new string(clean) + "..." : new string(clean);
    }
}
