using Npgsql;
using Sagas.Contracts;
using Sagas.Persistence;

namespace Sagas.Services.Ingest;

/// <summary>Wakes payments that wait for customers of a batch, as the customer saga does for one customer.</summary>
internal static class ReleasePayments
{
    // Pulls forward the wake-up of every payment that waits for one of some customers, and returns the ids of those that have
    // none to pull: theirs is being delivered at this moment.
    private const string Release = """
        WITH waiting AS MATERIALIZED (
            SELECT payment_id, redelivery_token_id FROM payment_state
            WHERE customer_id = ANY ($1) AND current_state = 'AwaitingCustomer'),
        pulled AS MATERIALIZED (
            SELECT pull_forward(tokens) AS tokens
            FROM (SELECT array_agg(redelivery_token_id) AS tokens FROM waiting) t
            WHERE tokens IS NOT NULL)
        SELECT payment_id FROM waiting
        WHERE redelivery_token_id IS NULL OR redelivery_token_id NOT IN (SELECT unnest(tokens) FROM pulled)
        """;

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
            new NpgsqlCommand(Release, connection)
            {
                CommandTimeout = 0,
                Parameters = { new NpgsqlParameter<string[]> { TypedValue = [.. awaited] } },
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
