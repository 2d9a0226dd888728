using System.Net.Sockets;
using System.Security.Authentication;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sagas.Cli.CommandLine;

namespace Sagas.Cli.Broker;

/// <summary>A connection to RabbitMQ for the length of one command.</summary>
internal sealed class BrokerConnection : IAsyncDisposable
{
    private const ushort NotFound = 404;

    // For a host that does not answer at all.
    private static readonly TimeSpan _connectPatience = TimeSpan.FromSeconds(5);

    // For a broker that does, but is busy: it lets in nobody for seconds.
    private static readonly TimeSpan _handshakePatience = TimeSpan.FromSeconds(30);

    private readonly IConnection _connection;

    private BrokerConnection(IConnection connection) => _connection = connection;

    /// <summary>Connects.</summary>
    /// <param name="uri">The broker.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="CommandException">The broker cannot be reached or does not let us in.</exception>
    public static async Task<BrokerConnection> ConnectAsync(Uri uri, CancellationToken stop)
    {
        var factory = new ConnectionFactory
        {
            Uri = uri,
            ClientProvidedName = "sagas command line",
            AutomaticRecoveryEnabled = false,
            RequestedConnectionTimeout = _connectPatience,
            HandshakeContinuationTimeout = _handshakePatience,
        };
        try
        {
            return new BrokerConnection(await factory.CreateConnectionAsync(stop));
        }
        catch (Exception exception) when (exception is RabbitMQClientException or IOException or SocketException)
        {
            throw new CommandException(ExitCode.CannotConnect, CannotConnect(uri, exception), exception);
        }
    }

    /// <summary>Whether the broker has not gone away since.</summary>
    public bool IsOpen => _connection.IsOpen;

    /// <summary>Opens a channel whose publications are answered once the broker has them.</summary>
    public Task<IChannel> OpenConfirmedChannelAsync(CancellationToken stop) =>
        _connection.CreateChannelAsync(
            new CreateChannelOptions(
                publisherConfirmationsEnabled: true,
                publisherConfirmationTrackingEnabled: true,
                outstandingPublisherConfirmationsRateLimiter: null),
            stop);

    /// <summary>How many messages a queue holds; null: there is no such queue.</summary>
    public async Task<uint?> CountAsync(string queue, CancellationToken stop)
    {
        // The broker closes the channel of whoever asks for a queue that does not exist.
        await using var channel = await _connection.CreateChannelAsync(cancellationToken: stop);
        try
        {
            return (await channel.QueueDeclarePassiveAsync(queue, stop)).MessageCount;
        }
        catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == NotFound)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _connection.CloseAsync(Constants.ReplySuccess, "done", TimeSpan.FromSeconds(1), abort: true, CancellationToken.None);
        }
        finally
        {
            await _connection.DisposeAsync();
        }
    }

    private static string CannotConnect(Uri uri, Exception exception)
    {
        var reasons = new List<Exception>();
        for (var inner = exception; inner is not null; inner = inner is AggregateException many ? many.InnerExceptions[0] : inner.InnerException)
            reasons.Add(inner);

        var why = reasons.OfType<AuthenticationException>().Any() ? "the TLS handshake failed"
            : reasons.Any(reason => reason is AuthenticationFailureException or PossibleAuthenticationFailureException)
                ? "user name or password refused, or no such virtual host"
            : reasons.OfType<OperationInterruptedException>().FirstOrDefault() is { ShutdownReason: { } shutdown } ? shutdown.ReplyText
            : reasons[^1].Message;
        return $"""
            Cannot connect to RabbitMQ at {WithoutPassword(uri)}: {why.TrimEnd('.')}.
            Start it with `docker-compose up -d`, or run everything without Docker: `./sagas demo`.
            Another broker: {CommandOptions.RabbitMqName} or the environment variable {Connections.RabbitMqVariable}.
            """;
    }

    private static string WithoutPassword(Uri uri)
    {
        var user = uri.UserInfo.Split(':')[0];
        return $"{uri.Scheme}://{(user.Length > 0 ? user + "@" : "")}{uri.Authority}{uri.AbsolutePath}";
    }
}
