using Sagas.FileIntake.Records;
using Sagas.Services.Messages;

namespace Sagas.Services.Ingest;

/// <summary>Reads the ids of a file's customers. They come from the file itself: storing them would cost every ingest as much
/// as the customers do, for the few files that are followed.</summary>
public sealed class CustomerIdReader : IDisposable
{
    private readonly TableReader _table;
    private readonly CustomerRowReader _rows;
    private long _left;

    private CustomerIdReader(TableReader table, CustomerRowReader rows, long count) =>
        (_table, _rows, _left) = (table, rows, count);

    /// <summary>Opens a file.</summary>
    /// <param name="path">Where it is.</param>
    /// <param name="options">How it was read.</param>
    /// <param name="rows">How many of its rows, from its beginning, were processed.</param>
    /// <param name="rules">The rules for customers.</param>
    /// <param name="timeProvider">The clock.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Permission to read the file is missing.</exception>
    /// <exception cref="InvalidDataException">The file has no valid header.</exception>
    public static CustomerIdReader Open(
        string path,
        IngestOptions options,
        long rows,
        MessagesOptions rules,
        TimeProvider timeProvider
    )
    {
        var table = CustomerIngest.Open(path, null, options, out var problem) ?? throw new InvalidDataException(problem);
        return new CustomerIdReader(table, new CustomerRowReader(table, rules, timeProvider), rows);
    }

    /// <summary>Reads to the next valid row.</summary>
    /// <param name="correlationId">The correlation id of its customer.</param>
    /// <returns>False at the end.</returns>
    public bool Read(out Guid correlationId)
    {
        Span<byte> id = stackalloc byte[16];
        while (_left-- > 0 && _table.Read())
        {
            if (_rows.Read(out var row) is not null)
                continue;
            SagaIdentity.WriteCustomer(row.CustomerId, id);
            correlationId = new Guid(id, bigEndian: true);
            return true;
        }
        correlationId = default;
        return false;
    }

    /// <inheritdoc />
    public void Dispose() => _table.Dispose();
}
