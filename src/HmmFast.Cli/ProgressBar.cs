using Spectre.Console;

namespace HmmFast.Cli;

/// <summary>Draws a bar on the error stream while something long runs, when somebody watches.</summary>
internal static class ProgressBar
{
    /// <summary>Runs the work; the bar goes away afterwards.</summary>
    /// <param name="io">Where to draw.</param>
    /// <param name="title">What is being done.</param>
    /// <param name="work">The work; it is given something to report to, or null when nobody watches.</param>
    public static T Run<T>(CommandIo io, string title, Func<IProgress<(ulong Done, ulong Total)>?, T> work)
    {
        if (!io.IsInteractive)
        {
            return work(null);
        }

        return io.MakeProgressConsole()
            .Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .Start(context =>
            {
                ProgressTask task = context.AddTask(Markup.Escape(title));
                return work(new Reporter(task));
            });
    }

    private sealed class Reporter(ProgressTask task) : IProgress<(ulong Done, ulong Total)>
    {
        public void Report((ulong Done, ulong Total) value)
        {
            task.MaxValue = Math.Max(1, value.Total);
            task.Value = value.Done;
        }
    }
}
