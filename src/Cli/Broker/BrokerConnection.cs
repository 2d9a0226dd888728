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
    private static readonly TimeSpan _connectTimeout = TimeSpan.FromSeconds(5);

    // A busy broker accepts the connection and takes seconds for the login.
    private static readonly TimeSpan _handshakeTimeout = TimeSpan.FromSeconds(30);

    private readonly IConnection _connection;

    private BrokerConnection(IConnection connection) => _connection = connection;

    /// <summary>Connects.</summary>
    /// <exception cref="CommandException">The broker cannot be reached or refuses the login.</exception>
    public static async Task<BrokerConnection> ConnectAsync(Uri uri, CancellationToken cancellationToken)
    {
        var factory = new ConnectionFactory
        {
            Uri = uri,
            ClientProvidedName = "sagas command line",
            AutomaticRecoveryEnabled = false,
            RequestedConnectionTimeout = _connectTimeout,
            HandshakeContinuationTimeout = _handshakeTimeout,
        };
        try
        {
            return new BrokerConnection(await factory.CreateConnectionAsync(cancellationToken));
        }
        catch (Exception exception) when (exception is RabbitMQClientException or IOException or SocketException)
        {
            throw new CommandException(ExitCode.CannotConnect, CannotConnect(uri, exception), exception);
        }
    }

    /// <summary>Whether the connection is open.</summary>
    public bool IsOpen => _connection.IsOpen;

    /// <summary>Opens a channel with publisher confirms.</summary>
    public Task<IChannel> OpenConfirmedChannelAsync(CancellationToken cancellationToken) =>
        _connection.CreateChannelAsync(
            new CreateChannelOptions(
                publisherConfirmationsEnabled: true,
                publisherConfirmationTrackingEnabled: true,
                outstandingPublisherConfirmationsRateLimiter: null
            ),
            cancellationToken
        );

    /// <summary>How many messages a queue holds; null: there is no such queue.</summary>
    public async Task<uint?> CountAsync(string queue, CancellationToken cancellationToken)
    {
        // The broker closes a channel that asks for a queue that does not exist.
        await using var channel = await _connection.CreateChannelAsync(cancellationToken: cancellationToken);
        try
        {
            return (await channel.QueueDeclarePassiveAsync(queue, cancellationToken)).MessageCount;
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
            await _connection.CloseAsync(
                Constants.ReplySuccess,
                "done",
                TimeSpan.FromSeconds(1),
                abort: true,
                CancellationToken.None
            );
        }
        finally
        {
            await _connection.DisposeAsync();
        }
    }

    private static string CannotConnect(Uri uri, Exception exception)
    {
        var reasons = new List<Exception>();
        for (var inner = exception; inner is not null; inner = Cause(inner))
            reasons.Add(inner);

        var isLogin = reasons.Any(reason => reason is AuthenticationFailureException or PossibleAuthenticationFailureException);
        var why =
            reasons.OfType<AuthenticationException>().Any() ? "the TLS handshake failed"
            : isLogin ? "the user name or password is wrong, or the virtual host does not exist"
            : reasons.OfType<OperationInterruptedException>().FirstOrDefault() is { ShutdownReason: { } shutdown }
                ? shutdown.ReplyText
            : reasons[^1].Message;
        var (option, variable) = (CommandOptions.RabbitMqName, Connections.RabbitMqVariable);
        var advice = isLogin
            ? Connections.WhenLoginFails(option, variable, "RABBITMQ_PASSWORD")
            : Connections.WhenUnavailable("broker", option, variable);
        return $"""
            Cannot connect to RabbitMQ at {WithoutPassword(uri)}: {why.TrimEnd('.')}.
            {advice}
            """;
    }

    private static Exception? Cause(Exception exception) =>
        exception is AggregateException many ? many.InnerExceptions[0] : exception.InnerException;

    private static string WithoutPassword(Uri uri)
    {
        var user = uri.UserInfo.Split(':')[0];
        return $"{uri.Scheme}://{(user.Length > 0 ? user + "@" : "")}{uri.Authority}{uri.AbsolutePath}";
    }
}
