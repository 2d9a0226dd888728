using System.Data.Common;
using MassTransit.EntityFrameworkCoreIntegration;
using Npgsql;
using NpgsqlTypes;

namespace Sagas.Persistence;

/// <summary>
/// The statements on the outbox and the history of sagas. One statement serves any number of rows.
/// </summary>
/// <param name="messages">The outbox's table, quoted.</param>
/// <param name="transitions">The table of the sagas' history, quoted; null where there is none.</param>
internal sealed class OutboxSql(string messages, string? transitions)
{
    private const string MessageColumns =
        "message_id, outbox_id, batch_id, position, batch_size, expiration_time, schedule_token_id, conversation_id, "
        + "correlation_id, initiator_id, request_id, source_address, destination_address, response_address, fault_address, "
        + "message_type, content_type, headers, properties, body";

    // Due times are counted from the database's clock, so that producers and relays on hosts whose clocks differ agree; not from
    // the start of the transaction, which may be long ago.
    private readonly string _insert = $"""
        INSERT INTO {messages} (enqueue_time, {MessageColumns})
        SELECT clock_timestamp() + coalesce(delay, interval '0'), {MessageColumns}
        FROM unnest($1::interval[], $2::uuid[], $3::uuid[], $4::uuid[], $5::int[], $6::int[], $7::timestamptz[],
                    $8::uuid[], $9::uuid[], $10::uuid[], $11::uuid[], $12::uuid[], $13::text[], $14::text[],
                    $15::text[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[], $21::text[])
          AS m (delay, {MessageColumns})
        RETURNING sequence_number
        """;

    // Most transactions have one message, and one row is cheaper to send and to insert as such than as arrays.
    private readonly string _insertOne = $"""
        INSERT INTO {messages} (enqueue_time, {MessageColumns})
        VALUES (clock_timestamp() + coalesce($1, interval '0'), $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
                $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
        RETURNING sequence_number
        """;

    private readonly string _insertTransitions = $"""
        INSERT INTO {transitions} (saga, correlation_id, from_state, to_state, event, message_id, conversation_id)
        SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::uuid[])
        """;

    private readonly string _insertOneTransition = $"""
        INSERT INTO {transitions} (saga, correlation_id, from_state, to_state, event, message_id, conversation_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """;

    // In the order of the statements' parameters.
    private static readonly Column<OutboxMessage>[] _messageColumns =
    [
        Column<OutboxMessage>.Of(NpgsqlDbType.Interval, message => message.Delay),
        Column<OutboxMessage>.Of(NpgsqlDbType.Uuid, message => message.MessageId),
        Column<OutboxMessage>.Of(NpgsqlDbType.Uuid, message => message.OutboxId),
        Column<OutboxMessage>.Of(NpgsqlDbType.Uuid, message => message.BatchId),
        Column<OutboxMessage>.Of(NpgsqlDbType.Integer, message => message.Position),
        Column<OutboxMessage>.Of(NpgsqlDbType.Integer, message => message.BatchSize),
        Column<OutboxMessage>.Of(NpgsqlDbType.TimestampTz, message => message.ExpirationTime),
        Column<OutboxMessage>.Of(NpgsqlDbType.Uuid, message => message.ScheduleTokenId),
        Column<OutboxMessage>.Of(NpgsqlDbType.Uuid, message => message.ConversationId),
        Column<OutboxMessage>.Of(NpgsqlDbType.Uuid, message => message.CorrelationId),
        Column<OutboxMessage>.Of(NpgsqlDbType.Uuid, message => message.InitiatorId),
        Column<OutboxMessage>.Of(NpgsqlDbType.Uuid, message => message.RequestId),
        Column<OutboxMessage>.Of(NpgsqlDbType.Text, message => message.SourceAddress),
        Column<OutboxMessage>.Of(NpgsqlDbType.Text, message => message.DestinationAddress),
        Column<OutboxMessage>.Of(NpgsqlDbType.Text, message => message.ResponseAddress),
        Column<OutboxMessage>.Of(NpgsqlDbType.Text, message => message.FaultAddress),
        Column<OutboxMessage>.Of(NpgsqlDbType.Text, message => message.MessageType),
        Column<OutboxMessage>.Of(NpgsqlDbType.Text, message => message.ContentType),
        Column<OutboxMessage>.Of(NpgsqlDbType.Text, message => message.Headers),
        Column<OutboxMessage>.Of(NpgsqlDbType.Text, message => message.Properties),
        Column<OutboxMessage>.Of(NpgsqlDbType.Text, message => message.Body),
    ];

    private static readonly Column<SagaTransition>[] _transitionColumns =
    [
        Column<SagaTransition>.Of(NpgsqlDbType.Text, transition => transition.Saga),
        Column<SagaTransition>.Of(NpgsqlDbType.Uuid, transition => transition.CorrelationId),
        Column<SagaTransition>.Of(NpgsqlDbType.Text, transition => transition.FromState),
        Column<SagaTransition>.Of(NpgsqlDbType.Text, transition => transition.ToState),
        Column<SagaTransition>.Of(NpgsqlDbType.Text, transition => transition.Event),
        Column<SagaTransition>.Of(NpgsqlDbType.Uuid, transition => transition.MessageId),
        Column<SagaTransition>.Of(NpgsqlDbType.Uuid, transition => transition.ConversationId),
    ];

    /// <summary>What <see cref="Read"/> reads, in its order.</summary>
    public const string ReadColumns = $"sequence_number, attempts, {MessageColumns}";

    /// <summary>Locks and reads the first messages of at most <c>$1</c> batches that are due.</summary>
    public string TakeDue { get; } =
        $"""
            SELECT {ReadColumns} FROM {messages}
            WHERE outbox_id IS NULL AND position = 0 AND enqueue_time <= now()
            ORDER BY enqueue_time, sequence_number LIMIT $1 FOR UPDATE SKIP LOCKED
            """;

    /// <summary>Locks and reads the other messages of the batches <c>$1</c>.</summary>
    public string TakeRest { get; } =
        $"SELECT {ReadColumns} FROM {messages} WHERE batch_id = ANY ($1) AND position > 0 ORDER BY position FOR UPDATE";

    /// <summary>Deletes messages by their sequence numbers, <c>$1</c>.</summary>
    public string Delete { get; } = $"DELETE FROM {messages} WHERE sequence_number = ANY ($1)";

    /// <summary>Deletes scheduled messages by their tokens, <c>$1</c>.</summary>
    public string DeleteScheduled { get; } = $"DELETE FROM {messages} WHERE schedule_token_id = ANY ($1)";

    /// <summary>Inserts messages and returns their sequence numbers, in order.</summary>
    public NpgsqlBatchCommand InsertMessages(IReadOnlyList<OutboxMessage> rows) =>
        Command(rows, _messageColumns, _insertOne, _insert);

    /// <summary>Inserts the history of sagas.</summary>
    public NpgsqlBatchCommand InsertTransitions(IReadOnlyList<SagaTransition> rows) =>
        Command(rows, _transitionColumns, _insertOneTransition, _insertTransitions);

    /// <summary>Reads a row of <see cref="ReadColumns"/>.</summary>
    public static OutboxMessage Read(DbDataReader reader)
    {
        return new OutboxMessage
        {
            SequenceNumber = reader.GetInt64(0),
            Attempts = reader.GetInt32(1),
            MessageId = reader.GetGuid(2),
            OutboxId = Optional<Guid>(3),
            BatchId = reader.GetGuid(4),
            Position = reader.GetInt32(5),
            BatchSize = reader.GetInt32(6),
            ExpirationTime = Optional<DateTimeOffset>(7),
            ScheduleTokenId = Optional<Guid>(8),
            ConversationId = Optional<Guid>(9),
            CorrelationId = Optional<Guid>(10),
            InitiatorId = Optional<Guid>(11),
            RequestId = Optional<Guid>(12),
            SourceAddress = Text(13),
            DestinationAddress = reader.GetString(14),
            ResponseAddress = Text(15),
            FaultAddress = Text(16),
            MessageType = reader.GetString(17),
            ContentType = reader.GetString(18),
            Headers = Text(19),
            Properties = Text(20),
            Body = reader.GetString(21),
        };

        T? Optional<T>(int ordinal)
            where T : struct => reader.IsDBNull(ordinal) ? null : reader.GetFieldValue<T>(ordinal);

        string? Text(int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetString(ordinal);
    }

    private static NpgsqlBatchCommand Command<TRow>(
        IReadOnlyList<TRow> rows,
        Column<TRow>[] columns,
        string insertOne,
        string insertMany
    )
    {
        var command = new NpgsqlBatchCommand(rows.Count == 1 ? insertOne : insertMany);
        foreach (var column in columns)
            command.Parameters.Add(rows.Count == 1 ? column.Scalar(rows[0]) : column.Array(rows));
        return command;
    }

    /// <summary>A column of an insert: its value in a row, or its values in many.</summary>
    private sealed class Column<TRow>(Func<TRow, NpgsqlParameter> scalar, Func<IReadOnlyList<TRow>, NpgsqlParameter> array)
    {
        public Func<TRow, NpgsqlParameter> Scalar => scalar;

        public Func<IReadOnlyList<TRow>, NpgsqlParameter> Array => array;

        public static Column<TRow> Of<TValue>(NpgsqlDbType type, Func<TRow, TValue> value) =>
            new(
                row => new NpgsqlParameter { Value = (object?)value(row) ?? DBNull.Value, NpgsqlDbType = type },
                rows =>
                {
                    var values = new TValue[rows.Count];
                    for (var index = 0; index < values.Length; index++)
                        values[index] = value(rows[index]);
                    return new NpgsqlParameter<TValue[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | type };
                }
            );
    }
}
