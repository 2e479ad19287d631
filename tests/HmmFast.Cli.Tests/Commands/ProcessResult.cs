using System.Diagnostics;

namespace HmmFast.Cli.Tests.Commands;

/// <summary>A child process that has ended.</summary>
internal sealed record ProcessResult(int ExitCode, string Output, string Error)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>The runtime that runs this test.</summary>
    public static string DotnetPath => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host
        ? host
        : Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "..", "..", "..", "dotnet");

    /// <summary>The command's assembly.</summary>
    public static string CommandPath => typeof(HmmFastCommand).Assembly.Location;

    /// <summary>Runs the command in a process of its own.</summary>
    public static ProcessResult OfCommand(params string[] args) => Of(DotnetPath, [CommandPath, .. args]);

    /// <summary>Runs a program to its end.</summary>
    public static ProcessResult Of(string program, IEnumerable<string> args, params (string Name, string Value)[] environment)
    {
        ProcessStartInfo start = new(program, args) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', start.ArgumentList)} ran for more than {Patience}.");
        }

        return new ProcessResult(process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }
}
