using System.Diagnostics;
using System.Text;
using HmmFast.Cli.Tests.Captures;
using HmmFast.Simulation.Captures;

namespace HmmFast.Cli.Tests.Commands;

/// <summary>Long work before somebody who watches: a bar on the error stream, and what a process that dies half way leaves behind.</summary>
public sealed class ProgressTests
{
    [Theory]
    [InlineData("run", "--verify")]
    [InlineData("run", "--policy", "P0", "--scenario", "default", "--memory", "16MiB")]
    public void Run_SomebodyWatches_DrawsOnTheErrorStreamAndPrintsTheSame(params string[] args)
    {
        using StringWriter output = new();
        using WatchedWriter error = new(() => { });
        Assert.Equal(ExitCode.Ok, HmmFastCommand.Run(args, new CommandIo(output, error, isInteractive: true)));
        Assert.Contains("%", error.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("hmmfast:", error.Text, StringComparison.Ordinal);
        Assert.Equal(Lines(CommandRun.Of(args).Output), Lines(output.ToString()));

        // Times differ from run to run; what lines there are does not.
        static int Lines(string text) => text.Count(letter => letter == '\n');
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Capture_ProcessDiesOnTheWay_ExitsOneAndWritesNothing(bool isThereAnOlderFile)
    {
        Skip.IfNot(OperatingSystem.IsLinux() && Environment.SystemPageSize == 4096, "captures are taken on Linux with 4 KiB pages");
        using TemporaryDirectory directory = new();
        string path = directory.File("victim.hmf");
        byte[] older = [1, 2, 3];
        if (isThereAnOlderFile)
        {
            File.WriteAllBytes(path, older);
        }

        using Process child = ProcessCaptureTests.StartSleep();
        using StringWriter output = new();

        // The bar is first drawn when the first VMA has been read: the process dies there.
        using WatchedWriter error = new(() =>
        {
            child.Kill();
            child.WaitForExit();
        });
        int exitCode = HmmFastCommand.Run(["capture", "--pid", $"{child.Id}", "-o", path], new CommandIo(output, error, isInteractive: true));
        Assert.True(child.HasExited, "nothing was drawn while the process was read");
        Assert.Equal((ExitCode.Error, ""), (exitCode, output.ToString()));
        Assert.Contains($"hmmfast: process {child.Id}", error.Text, StringComparison.Ordinal);
        Assert.Equal(isThereAnOlderFile ? [path] : [], Directory.GetFiles(directory.Path));
        if (isThereAnOlderFile)
        {
            Assert.Equal(older, File.ReadAllBytes(path));
        }
    }

    /// <summary>Keeps what is written, and does something at the first write.</summary>
    private sealed class WatchedWriter(Action atFirst) : TextWriter
    {
        private readonly StringBuilder _text = new();
        private Action? _atFirst = atFirst;

        public override Encoding Encoding => Encoding.UTF8;

        public string Text
        {
            get
            {
                lock (_text)
                {
                    return _text.ToString();
                }
            }
        }

        public override void Write(char value) => Write(value.ToString());

        public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

        public override void Write(string? value)
        {
            Interlocked.Exchange(ref _atFirst, null)?.Invoke();
            lock (_text)
            {
                _text.Append(value);
            }
        }
    }
}
