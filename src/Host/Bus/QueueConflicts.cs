using System.Collections.Concurrent;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Sagas.Host.Bus;

/// <summary>
/// Queues and exchanges that exist with other arguments than they are declared with, because somebody else declared them or a
/// setting was changed. They are used as they are: the broker would close the channel of each declaration, and nothing that needs
/// them would ever start.
/// </summary>
internal sealed partial class QueueConflicts(ILogger<QueueConflicts> logger)
{
    private const ushort PreconditionFailed = 406;

    private readonly ConcurrentDictionary<string, string> _known = new(StringComparer.Ordinal);

    /// <summary>What differs and what to do, a sentence each.</summary>
    public IReadOnlyList<string> Sentences =>
        [.. _known.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => one.Value)];

    /// <summary>Declares a queue, unless it exists with other arguments.</summary>
    public Task DeclareQueueAsync(
        IConnection connection,
        string queue,
        Func<IChannel, Task> declare,
        CancellationToken cancellationToken
    ) => DeclareAsync(connection, "queue", queue, declare, cancellationToken);

    /// <summary>Declares an exchange, unless it exists with other arguments.</summary>
    public Task DeclareExchangeAsync(
        IConnection connection,
        string exchange,
        Func<IChannel, Task> declare,
        CancellationToken cancellationToken
    ) => DeclareAsync(connection, "exchange", exchange, declare, cancellationToken);

    // On a channel of its own, which the broker closes if it objects.
    private async Task DeclareAsync(
        IConnection connection,
        string kind,
        string name,
        Func<IChannel, Task> declare,
        CancellationToken cancellationToken
    )
    {
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        try
        {
            await declare(channel);
            _known.TryRemove($"{kind} {name}", out _);
        }
        catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == PreconditionFailed)
        {
            var reason = exception.ShutdownReason.ReplyText;
            if (_known.TryAdd($"{kind} {name}", Sentence(kind, name, reason)))
                LogConflict(logger, Sentence(kind, name, reason));
        }
    }

    private static string Sentence(string kind, string name, string reason) =>
        $"The {kind} {name} exists with other arguments and is used as it is ({reason}). Give the setting its former value, "
        + $"or delete the {kind} once nothing is lost with it, and restart a process.";

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Conflict}")]
    private static partial void LogConflict(ILogger logger, string conflict);
}
