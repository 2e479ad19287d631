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
                return work(new Reporter(context, task));
            });
    }

    private sealed class Reporter(ProgressContext context, ProgressTask task) : IProgress<(ulong Done, ulong Total)>
    {
        private bool _isDrawn;

        public void Report((ulong Done, ulong Total) value)
        {
            task.MaxValue = Math.Max(1, value.Total);
            task.Value = value.Done;
            if (!_isDrawn)
            {
                // At once; from here on the bar draws itself every so often.
                _isDrawn = true;
                context.Refresh();
            }
        }
    }
}
