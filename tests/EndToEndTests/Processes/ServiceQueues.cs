using System.Globalization;
using RabbitMQ.Client;

namespace Sagas.EndToEndTests.Processes;

/// <summary>Queues of the services, and their error queues.</summary>
/// <param name="system">The system.</param>
/// <param name="names">The queues.</param>
internal sealed class ServiceQueues(RunningSystem system, params string[] names)
{
    /// <summary>Which of them hold messages that are ready, and how many; empty where none does.</summary>
    public async Task<string> DescribeFilledAsync()
    {
        await using var connection = await Broker.ConnectAsync(system.RabbitMq);
        var filled = new List<string>();
        foreach (var name in names)
        {
            var count = await Broker.CountAsync(connection, name);
            if (count != 0)
                filled.Add($"{name}: {count?.ToString(CultureInfo.InvariantCulture) ?? "does not exist"}");
        }

        return string.Join(", ", filled);
    }

    /// <summary>
    /// Checks that the error queues are empty, and that the queues hold nothing but messages whose work is done: a
    /// quorum queue may deliver again what was acknowledged shortly before its channel was closed.
    /// </summary>
    /// <param name="isDone">Whether a message's work is done, where the inbox does not know it.</param>
    public async Task HoldNothingNewAsync(Func<QueuedMessage, bool>? isDone = null)
    {
        await using var connection = await Broker.ConnectAsync(system.RabbitMq);
        var found = new List<QueuedMessage>();
        foreach (var name in names)
        {
            var waiting = await Broker.PeekAsync(connection, name);
            var known = await ConsumedAsync(waiting);
            found.AddRange(waiting.Where(message => !known.Contains(message.MessageId) && isDone?.Invoke(message) is not true));
            found.AddRange(await FailedAsync(connection, name));
        }

        Assert.True(
            found.Count == 0,
            $"{found.Count} messages are left in queues, such as:\n{string.Join('\n', found.Take(20))}"
        );
    }

    /// <summary>Describes what is in all of them.</summary>
    public async Task<string> DescribeAsync()
    {
        try
        {
            await using var connection = await Broker.ConnectAsync(system.RabbitMq);
            var failed = new List<QueuedMessage>();
            foreach (var name in names)
                failed.AddRange(await FailedAsync(connection, name));
            return $"-- queues: {await DescribeFilledAsync()}\n{string.Join('\n', failed.Take(20))}";
        }
        catch (Exception e) when (e is RabbitMQ.Client.Exceptions.RabbitMQClientException or IOException)
        {
            return $"-- queues: {e.Message}";
        }
    }

    private static async Task<IReadOnlyList<QueuedMessage>> FailedAsync(IConnection connection, string name) =>
        [
            .. await Broker.PeekAsync(connection, name + "_error", 10),
            .. await Broker.PeekAsync(connection, name + "_skipped", 10),
        ];

    private async Task<HashSet<string>> ConsumedAsync(IReadOnlyList<QueuedMessage> messages)
    {
        var ids = messages.Select(message => Guid.TryParse(message.MessageId, out var id) ? id : default).ToArray();
        await using var command = system.Database.CreateCommand(
            "SELECT message_id::text FROM inbox_state WHERE message_id = ANY ($1)"
        );
        command.Parameters.Add(new() { Value = ids });
        var consumed = new HashSet<string>();
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            consumed.Add(reader.GetString(0));
        return consumed;
    }
}
