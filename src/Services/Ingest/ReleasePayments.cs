using Npgsql;
using Sagas.Customers;

namespace Sagas.Services.Ingest;

/// <summary>Wakes payments that wait for customers of a batch, as the customer saga does for one customer.</summary>
internal static class ReleasePayments
{
    /// <summary>Releases, in the transaction that the connection is in.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="run">The file.</param>
    /// <param name="find">Finds the customers among the new ones for whom payments wait.</param>
    /// <param name="which">Which customers are new.</param>
    /// <param name="cancellationToken">Stops.</param>
    public static async Task ReleaseAsync(NpgsqlConnection connection, FileRun run, string find, NpgsqlParameter which, CancellationToken cancellationToken)
    {
        var awaited = await ReadAsync(new NpgsqlCommand(find, connection) { CommandTimeout = 0, Parameters = { which } }, cancellationToken);
        if (awaited.Count == 0)
            return;
        var crossing = await ReadAsync(
            new NpgsqlCommand(CustomerDirectory.Release, connection)
            {
                CommandTimeout = 0,
                Parameters = { new NpgsqlParameter<string[]>(CustomerDirectory.CustomersParameter, [.. awaited]) },
            },
            cancellationToken);
        if (crossing.Count == 0)
            return;
        // These are looking for their customer right now, and may not see it: they are told to look once more.
        await using var tell = new NpgsqlCommand(IngestSql.TellPayments, connection)
        {
            Parameters =
            {
                new NpgsqlParameter<string[]>("payments", [.. crossing]),
                new NpgsqlParameter<Guid>("file", run.File.FileId),
                new NpgsqlParameter<DateTimeOffset>("now", run.Time.GetUtcNow()),
            },
        };
        await tell.ExecuteNonQueryAsync(cancellationToken);
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
