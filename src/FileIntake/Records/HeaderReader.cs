using System.Buffers;

namespace Sagas.FileIntake.Records;

/// <summary>Reads the header of a file, or decides that it has none.</summary>
internal static class HeaderReader
{
    // Rows that are compared with the first one, which may be a header with unknown names.
    private const int ComparedRows = 20;

    private static readonly SearchValues<char> _typographicQuotes = SearchValues.Create("“”„‟«»‘’‚");

    /// <summary>Reads the header. The records after it are read next.</summary>
    /// <param name="records">A reader before the first record.</param>
    /// <param name="columns">The columns of this kind of file.</param>
    /// <param name="problem">Why the file is refused, a sentence.</param>
    /// <returns>Null when the file is refused.</returns>
    public static HeaderMap? Read(RecordReader records, TableColumns columns, out string? problem)
    {
        problem = records.Format.Problem;
        if (problem is not null)
            return null;
        if (!records.Read())
        {
            problem = "The file is empty.";
            return null;
        }
        if (records.Problem == RecordProblem.StrayLineBreak)
            problem = "The file mixes line breaks (line feeds and carriage returns): write it with one kind.";
        else if (records.Problem != RecordProblem.None && !columns.IsHeaderOptional)
            problem = "The first line is not a valid header: it cannot be read.";
        if (problem is not null)
            return null;
        var names = records.Problem == RecordProblem.None ? Names(records) : [];
        if (HeaderMap.Read(names, columns.Columns, out problem) is { } header)
        {
            problem = ProblemOf(names);
            return problem is null ? header : null;
        }
        if (!columns.IsHeaderOptional)
        {
            problem = ProblemOf(names) ?? problem;
            return null;
        }
        if (names.Count > 0 && IsLikeHeader(records, names, columns))
            return null;
        records.MoveTo(RecordPosition.Start);
        var expected = columns.Columns;
        problem =
            names.Count == 0 || names.Count == expected.Count
                ? null
                : $"The first line has {names.Count} fields where {expected.Count} are expected "
                    + $"({string.Join(", ", expected.Select(column => column.Name))}). Quote a text that contains the delimiter.";
        return problem is null ? HeaderMap.Assumed(expected) : null;
    }

    /// <summary>The fields of the current record, trimmed, without the empty ones at the end.</summary>
    public static IReadOnlyList<string> Names(RecordReader records)
    {
        var names = new List<string>();
        for (var field = 0; field < records.FieldCount; field++)
            names.Add(System.Text.Encoding.UTF8.GetString(Cell.Trim(records.Field(field))));
        while (names is [.., ""])
            names.RemoveAt(names.Count - 1);
        return names;
    }

    private static string? ProblemOf(IReadOnlyList<string> names)
    {
        if (names.Any(name => name.Any(char.IsControl)))
            return "The first line is not a valid header: it contains a control character, such as U+0000 or a line break.";
        return names.Any(name => name.AsSpan().Trim() is { IsEmpty: false } text && _typographicQuotes.Contains(text[0]))
            ? "The first line has typographic quotes (“ ”), which do not quote: write straight ones (\")."
            : null;
    }

    // A first record that is not this kind's header may be another kind's, or have names that are not known.
    private static bool IsLikeHeader(RecordReader records, IReadOnlyList<string> names, TableColumns columns)
    {
        var known = new ColumnNames([.. columns.Columns, .. columns.OfOtherKinds]);
        var hasDigit = names.Any(name => name.Any(char.IsAsciiDigit));
        if (known.Contains(names[0]) || (!hasDigit && names.Any(known.Contains)))
            return true;
        if (names[0].Any(char.IsAsciiDigit))
            return false;
        var compared = 0;
        while (compared < ComparedRows && records.Read())
        {
            if (records.FieldCount == 0)
                continue;
            if (!records.Text(0).Any(char.IsAsciiDigit))
                return false;
            compared++;
        }
        return compared > 0;
    }
}
