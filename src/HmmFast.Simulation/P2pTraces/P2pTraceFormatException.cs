namespace HmmFast.Simulation.P2pTraces;

/// <summary>A file of recorded peer-to-peer answers could not be read; the message names the file, the line and the value.</summary>
public sealed class P2pTraceFormatException : Exception
{
    /// <summary>Reports a problem at a line.</summary>
    /// <param name="file">The file.</param>
    /// <param name="line">The line, from 1; 0 = the file as a whole.</param>
    /// <param name="problem">What is wrong, with the value.</param>
    /// <param name="inner">The cause, where another reader found it.</param>
    public P2pTraceFormatException(string file, int line, string problem, Exception? inner = null)
        : base(line > 0 ? $"{file}:{line}: {problem}" : $"{file}: {problem}", inner)
    {
        File = file;
        Line = line;
    }

    /// <summary>The file.</summary>
    public string File { get; }

    /// <summary>The line, from 1; 0 = the file as a whole.</summary>
    public int Line { get; }
}
