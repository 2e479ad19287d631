using System.CommandLine;
using System.CommandLine.Parsing;
using HmmFast.Simulation.Captures;
using HmmFast.Simulation.Comparison;
using HmmFast.Simulation.Jobs;
using HmmFast.Simulation.Machines;

namespace HmmFast.Cli;

/// <summary>The <c>hmmfast</c> command: its sub-commands, and what errors become.</summary>
public static class HmmFastCommand
{
    /// <summary>Every sub-command, each made by a file of its own.</summary>
    private static readonly Func<CommandIo, Command>[] SubCommands =
    [
        RunCommand.Create,
        CaptureCommand.Create,
        ConformCommand.Create,
        GraphCommand.Create,
        InfoCommand.Create,
        TopoCommand.Create,
    ];

    /// <summary>Parses and runs a command line.</summary>
    /// <param name="args">The arguments, without the program's name.</param>
    /// <param name="io">Where it writes.</param>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static int Run(IReadOnlyList<string> args, CommandIo io)
    {
        RootCommand root = new("Answers what Linux HMM would answer, for millions of pages a call.");
        foreach (Func<CommandIo, Command> create in SubCommands)
        {
            root.Subcommands.Add(create(io));
        }

        ParseResult parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (ParseError error in parsed.Errors)
            {
                io.Error.WriteLine($"hmmfast: {error.Message}");
            }

            io.Error.WriteLine("hmmfast: 'hmmfast --help' and 'hmmfast COMMAND --help' list what there is.");
            return ExitCode.Usage;
        }

        try
        {
            return parsed.Invoke(new InvocationConfiguration
            {
                Output = io.Output,
                Error = io.Error,
                EnableDefaultExceptionHandler = false,
            });
        }
        catch (UsageException e)
        {
            return Complain(io, e, ExitCode.Usage);
        }
        catch (OperationCanceledException e)
        {
            return Complain(io, e, ExitCode.Interrupted);
        }
        catch (TypeInitializationException e) when (e.InnerException is ArgumentException forced)
        {
            // An environment variable that forces a vector width names one that this machine does not have.
            return Complain(io, forced, ExitCode.Usage);
        }
        catch (Exception e) when (IsExpected(e))
        {
            return Complain(io, e, ExitCode.Error);
        }
    }

    /// <summary>True for errors that a user's input or machine can cause; anything else is a defect and keeps its stack trace.</summary>
    private static bool IsExpected(Exception e) => e
        is CaptureException
        or MainJobException
        or ScenarioException
        or MachineReadException
        or IOException
        or UnauthorizedAccessException
        or PlatformNotSupportedException
        or InsufficientMemoryException
        or OutOfMemoryException;

    private static int Complain(CommandIo io, Exception e, int exitCode)
    {
        io.Error.WriteLine($"hmmfast: {e.Message}");
        return exitCode;
    }
}
