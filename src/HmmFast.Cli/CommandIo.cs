using Spectre.Console;

namespace HmmFast.Cli;

/// <summary>Where a command writes: results, complaints, and whether somebody watches.</summary>
/// <remarks>Commands write nowhere else, so that a test can run them in process and read all of it.</remarks>
public sealed class CommandIo
{
    private const int RedirectedWidth = 120;
    private IAnsiConsole? _console;

    /// <summary>Wraps two writers.</summary>
    /// <param name="output">Results.</param>
    /// <param name="error">Complaints and progress.</param>
    /// <param name="isInteractive">True when a person watches the error stream: progress bars are drawn.</param>
    /// <param name="isTerminal">True when the output is a terminal: its colours and width are used.</param>
    public CommandIo(TextWriter output, TextWriter error, bool isInteractive = false, bool isTerminal = false)
    {
        Output = output;
        Error = error;
        IsInteractive = isInteractive;
        IsTerminal = isTerminal;
    }

    /// <summary>Results.</summary>
    public TextWriter Output { get; }

    /// <summary>Complaints and progress.</summary>
    public TextWriter Error { get; }

    /// <summary>True when progress may be drawn.</summary>
    public bool IsInteractive { get; }

    /// <summary>True when the output is a terminal.</summary>
    public bool IsTerminal { get; }

    /// <summary>For tables on <see cref="Output"/>; plain text 120 columns wide when that is no terminal.</summary>
    public IAnsiConsole Tables => _console ??= MakeConsole(Output, IsTerminal);

    /// <summary>The process's own streams.</summary>
    public static CommandIo Console() => new(
        System.Console.Out,
        System.Console.Error,
        isInteractive: !System.Console.IsErrorRedirected && !System.Console.IsOutputRedirected,
        isTerminal: !System.Console.IsOutputRedirected);

    /// <summary>A console for progress on <see cref="Error"/>.</summary>
    public IAnsiConsole MakeProgressConsole() => MakeConsole(Error, IsInteractive);

    private static IAnsiConsole MakeConsole(TextWriter writer, bool isTerminal)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = isTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = isTerminal ? InteractionSupport.Detect : InteractionSupport.No,
        });
        if (!isTerminal)
        {
            console.Profile.Width = RedirectedWidth;
            console.Profile.Capabilities.Unicode = true;
        }

        return console;
    }
}
