namespace HmmFast.Simulation.Machines;

/// <summary>The known word that a misspelt one most likely means.</summary>
public static class NearestName
{
    private const int MaxLength = 64;

    /// <summary>The nearest of some known words: fewest letters added, left out, changed or swapped with the next; case does not count; the first of equals.</summary>
    /// <param name="word">What was written; looked at up to 64 letters.</param>
    /// <param name="known">The words that there are.</param>
    /// <returns>One of them; empty when there are none.</returns>
    public static string Find(string word, IEnumerable<string> known)
    {
        ArgumentNullException.ThrowIfNull(word);
        ArgumentNullException.ThrowIfNull(known);
        string best = "";
        int least = int.MaxValue;
        foreach (string candidate in known)
        {
            int distance = Distance(word.Length > MaxLength ? word[..MaxLength] : word, candidate);
            if (distance < least)
            {
                least = distance;
                best = candidate;
            }
        }

        return best;
    }

    /// <summary>True for words so near that one is likely the other misspelt: at most two letters differ, and fewer than half of them.</summary>
    /// <param name="left">A word.</param>
    /// <param name="right">Another word.</param>
    public static bool IsNear(string left, string right)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        return left.Length <= MaxLength && Distance(left, right) is int distance && distance <= 2 && 2 * distance < Math.Max(left.Length, right.Length);
    }

    // Letters that change places count once: the commonest slip of fingers.
    private static int Distance(string left, string right)
    {
        int[] beforeLast = new int[right.Length + 1];
        int[] last = new int[right.Length + 1];
        int[] row = new int[right.Length + 1];
        for (int j = 0; j <= right.Length; j++)
        {
            row[j] = j;
        }

        for (int i = 1; i <= left.Length; i++)
        {
            (beforeLast, last, row) = (last, row, beforeLast);
            row[0] = i;
            for (int j = 1; j <= right.Length; j++)
            {
                int change = last[j - 1] + (IsSame(left[i - 1], right[j - 1]) ? 0 : 1);
                row[j] = Math.Min(change, Math.Min(row[j - 1], last[j]) + 1);
                if (i > 1 && j > 1 && IsSame(left[i - 1], right[j - 2]) && IsSame(left[i - 2], right[j - 1]))
                {
                    row[j] = Math.Min(row[j], beforeLast[j - 2] + 1);
                }
            }
        }

        return row[right.Length];
    }

    private static bool IsSame(char left, char right) => char.ToLowerInvariant(left) == char.ToLowerInvariant(right);
}
