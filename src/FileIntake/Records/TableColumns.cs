namespace Sagas.FileIntake.Records;

/// <summary>The columns of a kind of file.</summary>
/// <param name="Columns">The columns; the first required one identifies the row's subject.</param>
public sealed record TableColumns(IReadOnlyList<FileColumn> Columns)
{
    /// <summary>Whether a file may come without a header and has then all columns, in their order.</summary>
    public bool IsHeaderOptional { get; init; }

    /// <summary>The columns of other kinds of files, by whose names their headers are recognised.</summary>
    public IReadOnlyList<FileColumn> OfOtherKinds { get; init; } = [];

    /// <summary>The column that identifies the row's subject.</summary>
    public FileColumn Identifier { get; } = Columns.First(column => column.IsRequired);
}
