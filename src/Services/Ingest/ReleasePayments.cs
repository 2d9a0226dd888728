using Npgsql;
using Sagas.Contracts;
using Sagas.Database;
using Sagas.Persistence;

namespace Sagas.Services.Ingest;

/// <summary>Wakes payments that wait for customers of a batch, as the customer saga does for one customer.</summary>
internal static class ReleasePayments
{
    /// <summary>Releases payments in the connection's transaction.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="context">The file.</param>
    /// <param name="find">The query for the new customers for whom payments wait.</param>
    /// <param name="which">Its parameter: which customers are new.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task ReleaseAsync(
        NpgsqlConnection connection,
        IngestContext context,
        string find,
        NpgsqlParameter which,
        CancellationToken cancellationToken
    )
    {
        var awaited = await ReadAsync(
            new NpgsqlCommand(find, connection) { CommandTimeout = 0, Parameters = { which } },
            cancellationToken
        );
        if (awaited.Count == 0)
            return;
        var racing = await ReadAsync(
            new NpgsqlCommand(CustomerDirectory.Release, connection)
            {
                CommandTimeout = 0,
                Parameters = { new NpgsqlParameter<string[]>(CustomerDirectory.CustomersParameter, [.. awaited]) },
            },
            cancellationToken
        );
        if (racing.Count == 0)
            return;
        // These are looking for their customer now and may not see it: wake them again.
        await using var batch = new NpgsqlBatch(connection);
        var messages = racing.Select(payment => new PaymentRedeliveryDue(payment));
        batch.BatchCommands.Add(
            BulkOutbox.Insert(messages, nameof(PaymentRedeliveryDue), context.File.FileId, context.TimeProvider)
        );
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<List<string>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        await using var _ = command;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var values = new List<string>();
        while (await reader.ReadAsync(cancellationToken))
            values.Add(reader.GetString(0));
        return values;
    }
}
