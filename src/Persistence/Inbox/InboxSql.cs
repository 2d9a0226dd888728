using Npgsql;
using NpgsqlTypes;

namespace Sagas.Persistence;

/// <summary>
/// The statements on <c>inbox_state</c>. The key is the id of the message first sent, so that a message and its redeliveries are
/// consumed once together, with one exception: a redelivery that the consumer asked for itself, in a consume that completed,
/// is noted in <c>awaiting_redelivery</c> and is consumed.
/// </summary>
internal static class InboxSql
{
    public const string PrimaryKey = "inbox_state_pkey";

    /// <summary>One row when the message is to be consumed, none when it was consumed before.</summary>
    public const string Enter = """
        INSERT INTO inbox_state AS i (message_id, consumer_id) VALUES ($1, $2)
        ON CONFLICT (message_id, consumer_id) DO UPDATE SET awaiting_redelivery = NULL, received = now()
        WHERE i.awaiting_redelivery = $3
        """;

    /// <summary>A row when the message has had its effect.</summary>
    public const string Exists = "SELECT 1 FROM inbox_state WHERE message_id = $1 AND consumer_id = $2";

    private const string InsertOrFail =
        "INSERT INTO inbox_state (message_id, consumer_id, awaiting_redelivery) VALUES ($1, $2, $3)";

    private const string AwaitRedelivery =
        "UPDATE inbox_state SET awaiting_redelivery = $3 WHERE message_id = $1 AND consumer_id = $2";

    /// <summary>Inserts the row of a first delivery, or fails on the primary key.</summary>
    public static NpgsqlBatchCommand EnterOrFail(InboxEntry entry, int? awaitingRedelivery) =>
        Command(InsertOrFail, entry, awaitingRedelivery);

    /// <summary>Notes on a row written before that the consumer asked for a redelivery.</summary>
    public static NpgsqlBatchCommand Await(InboxEntry entry, int awaitingRedelivery) =>
        Command(AwaitRedelivery, entry, awaitingRedelivery);

    /// <summary>Adds the key, and as third parameter a count of redeliveries or null.</summary>
    public static void AddParameters(NpgsqlParameterCollection parameters, InboxEntry entry, int? redelivery)
    {
        parameters.Add(new NpgsqlParameter<Guid> { TypedValue = entry.MessageId });
        parameters.Add(new NpgsqlParameter<Guid> { TypedValue = entry.ConsumerId });
        parameters.Add(new NpgsqlParameter { Value = (object?)redelivery ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Integer });
    }

    private static NpgsqlBatchCommand Command(string sql, InboxEntry entry, int? redelivery)
    {
        var command = new NpgsqlBatchCommand(sql);
        AddParameters(command.Parameters, entry, redelivery);
        return command;
    }
}
