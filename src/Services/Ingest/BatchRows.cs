using System.Buffers;
using System.Buffers.Binary;

namespace Sagas.Services.Ingest;

/// <summary>The rows of a batch as <see cref="CopyRows"/> wrote them. Disposing gives their memory back.</summary>
/// <param name="buffers">Where the memory of the rows comes from.</param>
internal sealed class BatchRows(ArrayPool<byte> buffers) : IDisposable
{
    // The number of fields and the line come before what a customer's row has too.
    private const int BeforeColumns = 2 + 4 + 8;
    private const int Columns = 8;

    private readonly List<ArraySegment<byte>> _pieces = [];
    private CustomerColumnsOfRow[] _sorted = [];

    /// <summary>The rows, whole ones in each piece.</summary>
    public IReadOnlyList<ArraySegment<byte>> Pieces => _pieces;

    /// <summary>Takes rows over.</summary>
    public void Add(ArraySegment<byte> piece) => _pieces.Add(piece);

    /// <summary>The customers in the order of their correlation ids, which is the order of the indexes; null: one of them has several rows. They
    /// can be used until this is disposed of.</summary>
    /// <param name="count">How many rows there are.</param>
    public ArraySegment<CustomerColumnsOfRow>? SortUnlessRepeated(int count)
    {
        _sorted = ArrayPool<CustomerColumnsOfRow>.Shared.Rent(count);
        var ids = ArrayPool<UInt128>.Shared.Rent(count);
        var found = 0;
        foreach (var piece in _pieces)
        {
            for (var rest = piece; rest.Count > 0;)
            {
                var row = new CustomerColumnsOfRow(rest[BeforeColumns..(BeforeColumns + LengthOfColumns(rest.AsSpan(BeforeColumns)))]);
                (ids[found], _sorted[found++]) = (row.CorrelationId, row);
                rest = rest[(BeforeColumns + row.Bytes.Count)..];
            }
        }
        Array.Sort(ids, _sorted, 0, found);
        var repeated = false;
        for (var next = 1; next < found && !repeated; next++)
            repeated = ids[next] == ids[next - 1];
        ArrayPool<UInt128>.Shared.Return(ids);
        return repeated ? default(ArraySegment<CustomerColumnsOfRow>?) : new ArraySegment<CustomerColumnsOfRow>(_sorted, 0, found);
    }

    public void Dispose()
    {
        foreach (var piece in _pieces)
            buffers.Return(piece.Array!);
        _pieces.Clear();
        if (_sorted.Length > 0)
            ArrayPool<CustomerColumnsOfRow>.Shared.Return(_sorted, clearArray: true);
        _sorted = [];
    }

    private static int LengthOfColumns(ReadOnlySpan<byte> row)
    {
        var length = 0;
        for (var column = 0; column < Columns; column++)
            length += 4 + Math.Max(0, BinaryPrimitives.ReadInt32BigEndian(row[length..]));
        return length;
    }
}

/// <summary>The columns of <see cref="IngestSql.CopyCustomers"/> that a row of the file tells, in binary COPY format.</summary>
internal readonly struct CustomerColumnsOfRow(ArraySegment<byte> bytes)
{
    private const int LengthOfCorrelationId = 4 + 16;

    public ArraySegment<byte> Bytes => bytes;

    /// <summary>The first column alone.</summary>
    public ArraySegment<byte> KeyBytes => bytes[..LengthOfCorrelationId];

    /// <summary>Compares as Postgres compares UUIDs.</summary>
    public UInt128 CorrelationId => BinaryPrimitives.ReadUInt128BigEndian(bytes.AsSpan(4));

    public string CustomerId =>
        System.Text.Encoding.UTF8.GetString(bytes.AsSpan(LengthOfCorrelationId + 4, BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(LengthOfCorrelationId))));
}
