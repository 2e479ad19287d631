using System.Text.Json;

namespace HmmFast.Simulation.Machines.Readers;

/// <summary>What a JSON parser's complaint says, without the place that it adds in its own words: readers name file and line themselves.</summary>
internal static class JsonFault
{
    private static readonly string[] Suffixes = [" Path: ", " LineNumber: "];

    /// <summary>The complaint alone.</summary>
    public static string Reason(Exception fault)
    {
        string message = fault.Message;
        foreach (string suffix in Suffixes)
        {
            int at = message.IndexOf(suffix, StringComparison.Ordinal);
            message = at < 0 ? message : message[..at];
        }

        return message.TrimEnd('.');
    }

    /// <summary>The line, from 1, in a text whose first line has a number of its own.</summary>
    public static int Line(JsonException fault, int firstLine = 1) => firstLine + (int)(fault.LineNumber ?? 0);
}
