using Sagas.Services.Files;
using Sagas.Services.Messages;

namespace Sagas.Services.Ingest;

/// <summary>Whose rows are in a file that was taken in. The file itself tells it: a list of them in the database would cost every ingest as much as its
/// customers do, for the few that somebody follows.</summary>
internal sealed class FileCustomers : IDisposable
{
    private readonly RecordReader _reader;
    private readonly CustomerRowReader _rows;
    private long _left;

    private FileCustomers(RecordReader reader, CustomerRowReader rows, long count) => (_reader, _rows, _left) = (reader, rows, count);

    /// <summary>Opens a file.</summary>
    /// <param name="path">Where it is.</param>
    /// <param name="options">How it was read.</param>
    /// <param name="rows">How many of its rows were done, from its beginning.</param>
    /// <param name="rules">What customers must fulfil.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It must not be read.</exception>
    /// <exception cref="InvalidDataException">It has no usable header.</exception>
    public static FileCustomers Open(string path, IngestOptions options, long rows, MessagesOptions rules, TimeProvider time)
    {
        var reader = CustomerIngest.Open(path, options);
        try
        {
            var (header, problem) = CustomerIngest.ReadHeader(reader, options);
            return new FileCustomers(reader, new CustomerRowReader(header ?? throw new InvalidDataException(problem), rules, time), rows);
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>Reads up to the next row that is a customer.</summary>
    /// <param name="correlationId">The customer's saga.</param>
    /// <returns>False: there is none.</returns>
    public bool Read(out Guid correlationId)
    {
        Span<byte> id = stackalloc byte[16];
        while (_left-- > 0 && _reader.Read())
        {
            if (_rows.Read(_reader, out var row) is not null)
                continue;
            SagaIdentity.WriteCustomer(row.CustomerId, id);
            correlationId = new Guid(id, bigEndian: true);
            return true;
        }
        correlationId = default;
        return false;
    }

    /// <inheritdoc />
    public void Dispose() => _reader.Dispose();
}
