using Npgsql;
using NpgsqlTypes;

namespace Sagas.Persistence;

/// <summary>
/// The statements on <c>inbox_state</c>. The key is the id of the message first sent, so that a message and its redeliveries are
/// consumed once together, with one exception: a redelivery that the consumer asked for itself, in a consume that completed,
/// is noted in <c>awaiting_redelivery</c> and is consumed.
/// </summary>
/// <param name="table">The table, quoted.</param>
internal sealed class InboxSql(string table)
{
    private readonly string _insertOrFail =
        $"INSERT INTO {table} (message_id, consumer_id, awaiting_redelivery) VALUES ($1, $2, $3)";

    private readonly string _insertManyOrFail =
        $"INSERT INTO {table} (message_id, consumer_id, awaiting_redelivery) "
        + "SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int[])";

    private readonly string _find = $"""
        SELECT message_id, consumer_id FROM {table}
        WHERE (message_id, consumer_id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))
        """;

    private readonly string _awaitRedelivery =
        $"UPDATE {table} SET awaiting_redelivery = $3 WHERE message_id = $1 AND consumer_id = $2";

    /// <summary>One row when the message is to be consumed, none when it was consumed before.</summary>
    public string Enter { get; } =
        $"""
            INSERT INTO {table} AS i (message_id, consumer_id) VALUES ($1, $2)
            ON CONFLICT (message_id, consumer_id) DO UPDATE SET awaiting_redelivery = NULL, received = now()
            WHERE i.awaiting_redelivery = $3
            """;

    /// <summary>A row when the message has had its effect.</summary>
    public string Exists { get; } = $"SELECT 1 FROM {table} WHERE message_id = $1 AND consumer_id = $2";

    /// <summary>Removes rows older than <c>$1</c>, at most <c>$2</c>, unless another process does.</summary>
    public string RemoveOld { get; } =
        $"""
            DELETE FROM {table} WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM {table}
                WHERE received < now() - $1 AND (SELECT pg_try_advisory_xact_lock({InboxCleanupService.AdvisoryLock})) LIMIT $2))
            """;

    /// <summary>Inserts the row of a first delivery, or fails on the primary key.</summary>
    public NpgsqlBatchCommand EnterOrFail(InboxEntry entry, int? awaitingRedelivery) =>
        Command(_insertOrFail, entry, awaitingRedelivery);

    /// <summary>Inserts the rows of first deliveries, or fails on the primary key.</summary>
    public NpgsqlBatchCommand EnterAllOrFail(IReadOnlyList<(InboxEntry Entry, int? AwaitingRedelivery)> entries)
    {
        if (entries is [var (entry, awaitingRedelivery)])
            return EnterOrFail(entry, awaitingRedelivery);
        var command = new NpgsqlBatchCommand(_insertManyOrFail);
        AddKeys(command.Parameters, [.. entries.Select(row => row.Entry)]);
        command.Parameters.Add(new NpgsqlParameter<int?[]> { TypedValue = [.. entries.Select(row => row.AwaitingRedelivery)] });
        return command;
    }

    /// <summary>Reads which messages have had their effect.</summary>
    public NpgsqlBatchCommand Find(IReadOnlyList<InboxEntry> entries)
    {
        var command = new NpgsqlBatchCommand(_find);
        AddKeys(command.Parameters, entries);
        return command;
    }

    /// <summary>Notes on a row written before that the consumer asked for a redelivery.</summary>
    public NpgsqlBatchCommand Await(InboxEntry entry, int awaitingRedelivery) =>
        Command(_awaitRedelivery, entry, awaitingRedelivery);

    /// <summary>Adds the key, and as third parameter a count of redeliveries or null.</summary>
    public static void AddParameters(NpgsqlParameterCollection parameters, InboxEntry entry, int? redelivery)
    {
        parameters.Add(new NpgsqlParameter<Guid> { TypedValue = entry.MessageId });
        parameters.Add(new NpgsqlParameter<Guid> { TypedValue = entry.ConsumerId });
        parameters.Add(new NpgsqlParameter { Value = (object?)redelivery ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Integer });
    }

    private static void AddKeys(NpgsqlParameterCollection parameters, IReadOnlyList<InboxEntry> entries)
    {
        parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. entries.Select(entry => entry.MessageId)] });
        parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. entries.Select(entry => entry.ConsumerId)] });
    }

    private static NpgsqlBatchCommand Command(string sql, InboxEntry entry, int? redelivery)
    {
        var command = new NpgsqlBatchCommand(sql);
        AddParameters(command.Parameters, entry, redelivery);
        return command;
    }
}
