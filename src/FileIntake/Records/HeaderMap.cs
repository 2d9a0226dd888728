using System.Text;

namespace Sagas.FileIntake.Records;

/// <summary>A column that a file may have.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsRequired">Whether a file without it is invalid.</param>
/// <param name="Aliases">Its other names in files. Case, blanks and punctuation are ignored: <c>first_name</c>, <c>First
/// Name</c> and <c>firstName</c> are one alias.</param>
public sealed record FileColumn(string Name, bool IsRequired, params IReadOnlyList<string> Aliases);

/// <summary>Maps the columns to the fields of a record, by the file's first record.</summary>
public sealed class HeaderMap
{
    private readonly Dictionary<string, int> _fields;

    private HeaderMap(Dictionary<string, int> fields, IReadOnlyList<string> names) => (_fields, Names) = (fields, names);

    /// <summary>Whether the file has no header and its columns are assumed.</summary>
    public bool IsAssumed { get; private init; }

    /// <summary>The names of the fields, as in the file.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The field of a column.</summary>
    /// <param name="column">The column's <see cref="FileColumn.Name"/>.</param>
    /// <returns>The field, from 0; -1 when the file does not have the column.</returns>
    public int FieldOf(string column) => _fields.GetValueOrDefault(column, -1);

    /// <summary>The name of a column in the file, or its own name when the file does not have it.</summary>
    /// <param name="column">The column's <see cref="FileColumn.Name"/>.</param>
    public string NameOf(string column) => FieldOf(column) is >= 0 and var field ? Names[field] : column;

    /// <summary>Reads a header.</summary>
    /// <param name="names">The fields of the file's first record.</param>
    /// <param name="columns">The known columns.</param>
    /// <param name="problem">Why this is not a header, a sentence; null when it is one.</param>
    /// <returns>The map; null when there is a problem.</returns>
    public static HeaderMap? Read(IReadOnlyList<string> names, IReadOnlyList<FileColumn> columns, out string? problem)
    {
        var fields = new Dictionary<string, int>();
        var known = new Dictionary<string, string>();
        foreach (var column in columns)
        {
            foreach (var alias in column.Aliases.Prepend(column.Name))
                known.TryAdd(Simplify(alias), column.Name);
        }
        for (var index = 0; index < names.Count; index++)
        {
            if (!known.TryGetValue(Simplify(names[index]), out var column) || fields.TryAdd(column, index))
                continue;
            var (first, second) = (Shorten(names[fields[column]]), Shorten(names[index]));
            problem = $"Two columns of the header mean {column}: '{first}' and '{second}'.";
            return null;
        }
        var missing = columns.FirstOrDefault(column => column.IsRequired && !fields.ContainsKey(column.Name));
        problem = missing is null
            ? null
            : "The first line is not a valid header: "
                + $"it has no column named {string.Join(" or ", missing.Aliases.Prepend(missing.Name))}. "
                + $"It reads: {Shorten(string.Join(" | ", names))}";
        return missing is null ? new HeaderMap(fields, names) : null;
    }

    /// <summary>The map of a file without a header: all columns, in their order.</summary>
    public static HeaderMap Assumed(IReadOnlyList<FileColumn> columns) =>
        new(columns.Select((column, index) => (column.Name, index)).ToDictionary(), [.. columns.Select(column => column.Name)])
        {
            IsAssumed = true,
        };

    /// <summary>The letters and digits of a name in lower case, by which names are compared.</summary>
    public static string Simplify(string name)
    {
        var simple = new StringBuilder(name.Length);
        foreach (var character in name)
        {
            if (char.IsLetterOrDigit(character))
                simple.Append(char.ToLowerInvariant(character));
        }
        return simple.ToString();
    }

    private static string Shorten(string text)
    {
        var line = string.Concat(text.Select(character => char.IsControl(character) ? ' ' : character));
        return line.Length <= 120 ? line : line[..119] + "…";
    }
}
