using System.Text;

namespace Sagas.FileIntake.Records;

/// <summary>Recognises the names of columns in cells, without allocations for the cells that are none.</summary>
internal sealed class ColumnNames
{
    private const int MaxBytes = 64;

    private readonly IReadOnlyList<FileColumn> _columns;
    private readonly string[] _names;
    private readonly bool[] _mayStart = new bool[256];

    public ColumnNames(IReadOnlyList<FileColumn> columns)
    {
        _columns = columns;
        _names = [.. columns.SelectMany(Simplified).Distinct()];
        foreach (var name in _names)
        {
            foreach (var start in new[] { char.ToLowerInvariant(name[0]), char.ToUpperInvariant(name[0]) })
                _mayStart[Encoding.UTF8.GetBytes(start.ToString())[0]] = true;
        }
    }

    /// <summary>Whether a cell is a name of a column.</summary>
    public bool Contains(string cell) => Array.IndexOf(_names, HeaderMap.Simplify(cell)) >= 0;

    /// <inheritdoc cref="Contains(string)"/>
    public bool Contains(ReadOnlySpan<byte> cell)
    {
        cell = Cell.Trim(cell);
        if (cell.Length is 0 or > MaxBytes || !_mayStart[cell[0]])
            return false;
        if (!Ascii.IsValid(cell))
            return Contains(Encoding.UTF8.GetString(cell));
        foreach (var name in _names)
        {
            if (IsSame(cell, name))
                return true;
        }
        return false;
    }

    /// <summary>Whether a cell is a name of this column.</summary>
    public bool IsNameOf(FileColumn column, ReadOnlySpan<byte> cell) =>
        _columns.Contains(column) && Simplified(column).Contains(HeaderMap.Simplify(Encoding.UTF8.GetString(cell)));

    private static IEnumerable<string> Simplified(FileColumn column) =>
        column.Aliases.Prepend(column.Name).Select(HeaderMap.Simplify).Where(name => name.Length > 0);

    // As HeaderMap.Simplify compares.
    private static bool IsSame(ReadOnlySpan<byte> cell, string name)
    {
        var next = 0;
        foreach (var value in cell)
        {
            var character = (char)value;
            if (!char.IsAsciiLetterOrDigit(character))
                continue;
            if (next == name.Length || char.ToLowerInvariant(character) != name[next++])
                return false;
        }
        return next == name.Length;
    }
}
