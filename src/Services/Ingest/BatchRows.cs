using System.Buffers;
using System.Buffers.Binary;

namespace Sagas.Services.Ingest;

/// <summary>The rows of a batch as <see cref="CopyRows"/> encoded them. Disposing returns their buffers to the pool.</summary>
/// <param name="buffers">The pool of the buffers.</param>
internal sealed class BatchRows(ArrayPool<byte> buffers) : IDisposable
{
    // The number of fields and the line, which a customer's row does not have.
    private const int BeforeColumns = 2 + 4 + 8;
    private const int Columns = 8;

    private readonly List<ArraySegment<byte>> _pieces = [];
    private CustomerColumnsOfRow[] _sorted = [];

    /// <summary>The rows; no row is split between two pieces.</summary>
    public IReadOnlyList<ArraySegment<byte>> Pieces => _pieces;

    /// <summary>Adds rows and takes over their buffer.</summary>
    public void Add(ArraySegment<byte> piece) => _pieces.Add(piece);

    /// <summary>The customers in the order of their correlation ids, which is that of the index; null when one of them has
    /// several rows. Valid until this is disposed.</summary>
    /// <param name="count">How many rows there are.</param>
    public ArraySegment<CustomerColumnsOfRow>? SortUnlessRepeated(int count)
    {
        _sorted = ArrayPool<CustomerColumnsOfRow>.Shared.Rent(count);
        var ids = ArrayPool<UInt128>.Shared.Rent(count);
        var found = 0;
        foreach (var piece in _pieces)
        {
            for (var rest = piece; rest.Count > 0; )
            {
                var length = LengthOfColumns(rest.AsSpan(BeforeColumns));
                var row = new CustomerColumnsOfRow(rest[BeforeColumns..(BeforeColumns + length)]);
                (ids[found], _sorted[found++]) = (row.CorrelationId, row);
                rest = rest[(BeforeColumns + row.Bytes.Count)..];
            }
        }
        Array.Sort(ids, _sorted, 0, found);
        var repeated = false;
        for (var next = 1; next < found && !repeated; next++)
            repeated = ids[next] == ids[next - 1];
        ArrayPool<UInt128>.Shared.Return(ids);
        // A bare null would become an empty segment.
        return repeated
            ? default(ArraySegment<CustomerColumnsOfRow>?)
            : new ArraySegment<CustomerColumnsOfRow>(_sorted, 0, found);
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
