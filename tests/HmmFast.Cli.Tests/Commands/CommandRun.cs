namespace HmmFast.Cli.Tests.Commands;

/// <summary>A command line run in this process, with all it wrote.</summary>
internal sealed record CommandRun(int ExitCode, string Output, string Error)
{
    public static CommandRun Of(params string[] args)
    {
        using StringWriter output = new();
        using StringWriter error = new();
        int exitCode = HmmFastCommand.Run(args, new CommandIo(output, error));
        return new CommandRun(exitCode, output.ToString(), error.ToString());
    }
}
