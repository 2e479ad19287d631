namespace HmmFast.Cli;

/// <summary>What the process's exit code says.</summary>
public static class ExitCode
{
    /// <summary>Done, and nothing differs.</summary>
    public const int Ok = 0;

    /// <summary>The work could not be done; the message names the value and the bound.</summary>
    public const int Error = 1;

    /// <summary>The command line makes no sense.</summary>
    public const int Usage = 2;

    /// <summary>A comparison ran and found a difference.</summary>
    public const int Different = 3;

    /// <summary>Stopped from outside (Ctrl-C).</summary>
    public const int Interrupted = 130;
}
