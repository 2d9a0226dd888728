using System.Data.Common;
using Npgsql;
using NpgsqlTypes;

namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>The statements on <c>outbox_message</c> and <c>saga_transition</c>. One statement serves any number of rows.</summary>
internal static class OutboxSql
{
    private const string MessageColumns =
        "message_id, outbox_id, batch_id, position, batch_size, expiration_time, schedule_token_id, conversation_id, correlation_id, " +
        "initiator_id, request_id, source_address, destination_address, response_address, fault_address, message_type, content_type, " +
        "headers, properties, body";

    // Due times are counted from the database's clock, so that producers and relays on hosts whose clocks differ agree; not from
    // the start of the transaction, which may be long ago.
    private const string Insert = $"""
        INSERT INTO outbox_message (enqueue_time, {MessageColumns})
        SELECT clock_timestamp() + coalesce(delay, interval '0'), {MessageColumns}
        FROM unnest($1::interval[], $2::uuid[], $3::uuid[], $4::uuid[], $5::int[], $6::int[], $7::timestamptz[], $8::uuid[], $9::uuid[],
                    $10::uuid[], $11::uuid[], $12::uuid[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[], $18::text[],
                    $19::text[], $20::text[], $21::text[])
          AS m (delay, {MessageColumns})
        RETURNING sequence_number
        """;

    private const string InsertTransition = """
        INSERT INTO saga_transition (saga, correlation_id, from_state, to_state, event, message_id, conversation_id)
        SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::uuid[])
        """;

    /// <summary>What <see cref="Read"/> reads, in its order.</summary>
    public const string ReadColumns = $"sequence_number, attempts, {MessageColumns}";

    /// <summary>Inserts messages and returns their sequence numbers, in order.</summary>
    public static NpgsqlBatchCommand InsertMessages(IReadOnlyList<OutboxMessage> messages)
    {
        var command = new NpgsqlBatchCommand(Insert);
        AddArray(command, messages, NpgsqlDbType.Interval, message => message.Delay);
        AddArray(command, messages, NpgsqlDbType.Uuid, message => message.MessageId);
        AddArray(command, messages, NpgsqlDbType.Uuid, message => message.OutboxId);
        AddArray(command, messages, NpgsqlDbType.Uuid, message => message.BatchId);
        AddArray(command, messages, NpgsqlDbType.Integer, message => message.Position);
        AddArray(command, messages, NpgsqlDbType.Integer, message => message.BatchSize);
        AddArray(command, messages, NpgsqlDbType.TimestampTz, message => message.ExpirationTime);
        AddArray(command, messages, NpgsqlDbType.Uuid, message => message.ScheduleTokenId);
        AddArray(command, messages, NpgsqlDbType.Uuid, message => message.ConversationId);
        AddArray(command, messages, NpgsqlDbType.Uuid, message => message.CorrelationId);
        AddArray(command, messages, NpgsqlDbType.Uuid, message => message.InitiatorId);
        AddArray(command, messages, NpgsqlDbType.Uuid, message => message.RequestId);
        AddArray(command, messages, NpgsqlDbType.Text, message => message.SourceAddress);
        AddArray(command, messages, NpgsqlDbType.Text, message => message.DestinationAddress);
        AddArray(command, messages, NpgsqlDbType.Text, message => message.ResponseAddress);
        AddArray(command, messages, NpgsqlDbType.Text, message => message.FaultAddress);
        AddArray(command, messages, NpgsqlDbType.Text, message => message.MessageType);
        AddArray(command, messages, NpgsqlDbType.Text, message => message.ContentType);
        AddArray(command, messages, NpgsqlDbType.Text, message => message.Headers);
        AddArray(command, messages, NpgsqlDbType.Text, message => message.Properties);
        AddArray(command, messages, NpgsqlDbType.Text, message => message.Body);
        return command;
    }

    /// <summary>Inserts the history of sagas.</summary>
    public static NpgsqlBatchCommand InsertTransitions(IReadOnlyList<SagaTransition> transitions)
    {
        var command = new NpgsqlBatchCommand(InsertTransition);
        AddArray(command, transitions, NpgsqlDbType.Text, transition => transition.Saga);
        AddArray(command, transitions, NpgsqlDbType.Uuid, transition => transition.CorrelationId);
        AddArray(command, transitions, NpgsqlDbType.Text, transition => transition.FromState);
        AddArray(command, transitions, NpgsqlDbType.Text, transition => transition.ToState);
        AddArray(command, transitions, NpgsqlDbType.Text, transition => transition.Event);
        AddArray(command, transitions, NpgsqlDbType.Uuid, transition => transition.MessageId);
        AddArray(command, transitions, NpgsqlDbType.Uuid, transition => transition.ConversationId);
        return command;
    }

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

    private static void AddArray<TRow, TValue>(NpgsqlBatchCommand command, IReadOnlyList<TRow> rows, NpgsqlDbType type, Func<TRow, TValue> value)
    {
        var values = new TValue[rows.Count];
        for (var index = 0; index < values.Length; index++)
            values[index] = value(rows[index]);
        command.Parameters.Add(new NpgsqlParameter<TValue[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | type });
    }
}
