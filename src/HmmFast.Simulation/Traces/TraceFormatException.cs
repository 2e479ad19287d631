namespace HmmFast.Simulation.Traces;

/// <summary>A recording that cannot be replayed: truncated, reordered, foreign or broken. Names the file and the line.</summary>
public sealed class TraceFormatException : Exception
{
    /// <summary>Makes the error.</summary>
    /// <param name="file">The file.</param>
    /// <param name="lineNumber">The line, from 1; 0 when the file as a whole is at fault.</param>
    /// <param name="reason">What is wrong, with the value and what was expected.</param>
    /// <param name="inner">The cause, if there is one.</param>
    public TraceFormatException(string file, int lineNumber, string reason, Exception? inner = null)
        : base(lineNumber > 0 ? $"{file}:{lineNumber}: {reason}" : $"{file}: {reason}", inner)
    {
        File = file;
        LineNumber = lineNumber;
        Reason = reason;
    }

    /// <summary>The file.</summary>
    public string File { get; }

    /// <summary>The line, from 1; 0 when the file as a whole is at fault.</summary>
    public int LineNumber { get; }

    /// <summary>What is wrong.</summary>
    public string Reason { get; }
}
