using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Npgsql;

namespace Sagas.Services.Ingest;

/// <summary>
/// Copies new customers and their history into the tables without staging: less work, and less WAL, since COPY logs a page of
/// rows at once.
/// </summary>
internal sealed class CustomerCopy(NpgsqlConnection connection, IReadOnlyList<CustomerColumnsOfRow> customers)
{
    private const int BufferBytes = 64 * 1024;
    private const short CustomerFields = 12;
    private const short TransitionFields = 6;

    /// <summary>Inserts the customers.</summary>
    /// <param name="state">Their state.</param>
    /// <param name="now">Their creation time.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="PostgresException">A customer is known (<see cref="PostgresErrorCodes.UniqueViolation"/>).</exception>
    public Task InsertAsync(string state, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var time = CopyRows.Time(now);
        return CopyAsync(
            IngestSql.CopyCustomers,
            CustomerFields,
            customer => customer.Bytes,
            [.. Field(state), .. Field(1), .. Field(time), .. Field(time)],
            cancellationToken
        );
    }

    /// <summary>Inserts a transition for each.</summary>
    /// <param name="state">Their state.</param>
    /// <param name="file">The conversation.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public Task InsertHistoryAsync(string state, Guid file, CancellationToken cancellationToken) =>
        CopyAsync(
            IngestSql.CopyTransitions,
            TransitionFields,
            customer => customer.KeyBytes,
            [
                .. Field("customer_state"),
                .. Null(),
                .. Field(state),
                .. Field("CustomerRegistered"),
                .. Field(file.ToByteArray(bigEndian: true)),
            ],
            cancellationToken
        );

    private async Task CopyAsync(
        string sql,
        short fields,
        Func<CustomerColumnsOfRow, ArraySegment<byte>> own,
        byte[] same,
        CancellationToken cancellationToken
    )
    {
        // Disposing would complete the COPY. On failure the transaction's disposal cancels it, also on a broken connection.
        var copy = await connection.BeginRawBinaryCopyAsync(sql, cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            await copy.WriteAsync(CopyRows.Header, cancellationToken);
            var length = 0;
            foreach (var customer in customers)
            {
                var bytes = own(customer);
                if (length > 0 && buffer.Length - length < sizeof(short) + bytes.Count + same.Length)
                {
                    await copy.WriteAsync(buffer.AsMemory(0, length), cancellationToken);
                    length = 0;
                }
                buffer = Reserve(buffer, sizeof(short) + bytes.Count + same.Length);
                BinaryPrimitives.WriteInt16BigEndian(buffer.AsSpan(length), fields);
                bytes.AsSpan().CopyTo(buffer.AsSpan(length + sizeof(short)));
                same.CopyTo(buffer.AsSpan(length + sizeof(short) + bytes.Count));
                length += sizeof(short) + bytes.Count + same.Length;
            }
            await copy.WriteAsync(buffer.AsMemory(0, length), cancellationToken);
            await copy.WriteAsync(CopyRows.Trailer, cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        await copy.DisposeAsync();
    }

    // For a row that is longer than the buffer, which is empty then.
    private static byte[] Reserve(byte[] buffer, int length)
    {
        if (buffer.Length >= length)
            return buffer;
        ArrayPool<byte>.Shared.Return(buffer);
        return ArrayPool<byte>.Shared.Rent(length);
    }

    private static byte[] Null() => [0xFF, 0xFF, 0xFF, 0xFF];

    private static byte[] Field(string text) => Field(Encoding.UTF8.GetBytes(text));

    private static byte[] Field(int number)
    {
        var bytes = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(bytes, number);
        return Field(bytes);
    }

    private static byte[] Field(long number)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, number);
        return Field(bytes);
    }

    private static byte[] Field(byte[] value)
    {
        var field = new byte[4 + value.Length];
        BinaryPrimitives.WriteInt32BigEndian(field, value.Length);
        value.CopyTo(field, 4);
        return field;
    }
}
