using System.Text;

namespace Sagas.Services.Files;

/// <summary>A column that a file may have.</summary>
/// <param name="Name">What it is called here.</param>
/// <param name="IsRequired">A file without it cannot be used.</param>
/// <param name="Aliases">What else it is called in files. Case, blanks and punctuation do not count, so that
/// <c>first_name</c>, <c>First Name</c> and <c>firstName</c> are one alias.</param>
public sealed record FileColumn(string Name, bool IsRequired, params IReadOnlyList<string> Aliases);

/// <summary>Which field of a record is which column, by the file's first record.</summary>
public sealed class HeaderMap
{
    private readonly Dictionary<string, int> _fields;

    private HeaderMap(Dictionary<string, int> fields, IReadOnlyList<string> names) => (_fields, Names) = (fields, names);

    /// <summary>The names of the fields, as the file has them.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Which field a column is.</summary>
    /// <param name="column">The column's <see cref="FileColumn.Name"/>.</param>
    /// <returns>The field, from 0; less than zero: the file does not have the column.</returns>
    public int FieldOf(string column) => _fields.GetValueOrDefault(column, -1);

    /// <summary>What a column is called in the file, or here when the file does not have it.</summary>
    /// <param name="column">The column's <see cref="FileColumn.Name"/>.</param>
    public string NameOf(string column) => FieldOf(column) is >= 0 and var field ? Names[field] : column;

    /// <summary>Reads a header.</summary>
    /// <param name="names">The fields of the file's first record.</param>
    /// <param name="columns">The columns that are known.</param>
    /// <param name="problem">Why this is no usable header, a sentence; null: it is one.</param>
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
            problem = $"Two columns of the header are both {column}: '{Shorten(names[fields[column]])}' and '{Shorten(names[index])}'.";
            return null;
        }
        var missing = columns.FirstOrDefault(column => column.IsRequired && !fields.ContainsKey(column.Name));
        problem = missing is null
            ? null
            : $"The first line is no usable header: none of its columns is called {string.Join(", ", missing.Aliases.Prepend(missing.Name))}. "
                + $"It reads: {Shorten(string.Join(" | ", names))}";
        return missing is null ? new HeaderMap(fields, names) : null;
    }

    /// <summary>Letters and digits in lower case: what counts in a name.</summary>
    /// <param name="name">A name as a person wrote it.</param>
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
