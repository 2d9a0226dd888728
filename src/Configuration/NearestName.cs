namespace Sagas.Configuration;

/// <summary>Finds the name that was meant by a misspelled one.</summary>
public static class NearestName
{
    /// <summary>How many letters may be wrong, missing or too many.</summary>
    public const int MaxTypos = 2;

    /// <summary>The known name that resembles a name most, in any case; null: none does.</summary>
    /// <param name="name">The name that is not known.</param>
    /// <param name="known">The known names.</param>
    public static string? Of(string name, IEnumerable<string> known)
    {
        ArgumentNullException.ThrowIfNull(name);
        return known
            .Select(candidate => (candidate, Distance: Distance(name.ToUpperInvariant(), candidate.ToUpperInvariant())))
            .Where(pair => pair.Distance <= MaxTypos && pair.Distance < pair.candidate.Length)
            .OrderBy(pair => pair.Distance)
            .Select(pair => pair.candidate)
            .FirstOrDefault();
    }

    // Levenshtein's: how many letters to change, add or leave out.
    private static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var change = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(change, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
