using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Sagas.LocalServers;

/// <summary>
/// A private RabbitMQ broker: on free loopback ports, in a temporary directory that is removed when it is disposed of
/// or when this process ends, however it ends. It shares nothing with other brokers of the machine: node name, cookie,
/// ports and the port mapper (epmd) are its own. Members are not safe to call concurrently, except those that create
/// and delete virtual hosts.
/// </summary>
public sealed class PrivateRabbitMq : IAsyncDisposable
{
    private const string User = "sagas";

    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(5);

    // The client waits up to a minute for a broker that closes its connection because it is still starting.
    private static readonly TimeSpan _connectTimeout = TimeSpan.FromSeconds(5);

    // The server's Erlang would start epmd as a daemon that outlives it; one started before it, in its process group,
    // ends with it. "exec" makes the server the process that signals reach.
    private const string Launch = """
        "$2" &
        epmd=$!
        until "$2" -names >/dev/null 2>&1; do
          if ! kill -0 "$epmd" 2>/dev/null; then echo "epmd: address already in use: $ERL_EPMD_PORT"; exit 1; fi
          sleep 0.05
        done
        exec "$1"
        """;

    private readonly string _directory;
    private readonly RabbitMqConfiguration _configuration;
    private readonly Programs _programs;
    private ServerProcess? _process;

    private PrivateRabbitMq(string directory, Programs programs, bool management)
    {
        _directory = directory;
        _programs = programs;
        _configuration = new RabbitMqConfiguration(directory, User, management);
    }

    /// <summary>Whether this machine has the programs that <see cref="StartAsync(CancellationToken)"/> needs.</summary>
    public static bool IsInstalled =>
        ServerPrograms.FindRabbitMq("rabbitmq-server") is not null
        && ServerPrograms.FindRabbitMq("rabbitmqctl") is not null
        && ServerPrograms.FindErlang("epmd") is not null;

    /// <summary>The broker's AMQP address with user and password, for the virtual host <c>/</c>.</summary>
    public Uri Uri => new($"amqp://{User}:{_configuration.Password}@127.0.0.1:{_configuration.Ports.Amqp}/");

    /// <summary>The address of the management plugin with the same user and password, where it runs.</summary>
    public Uri? ManagementUri => _configuration.ManagementUri;

    /// <summary>Creates a broker without plugins and starts it.</summary>
    /// <param name="cancellationToken">Cancels the start; nothing is left behind.</param>
    /// <returns>The broker, which accepts connections.</returns>
    /// <exception cref="ServerNotInstalledException">RabbitMQ is not on this machine.</exception>
    /// <exception cref="ServerStartException">It could not be started.</exception>
    public static Task<PrivateRabbitMq> StartAsync(CancellationToken cancellationToken = default) =>
        StartAsync(false, cancellationToken);

    /// <summary>Creates a broker and starts it.</summary>
    /// <param name="management">Whether to run the management plugin, which takes longer to start and costs throughput.</param>
    /// <param name="cancellationToken">Cancels the start; nothing is left behind.</param>
    /// <returns>The broker, which accepts connections.</returns>
    /// <exception cref="ServerNotInstalledException">RabbitMQ is not on this machine.</exception>
    /// <exception cref="ServerStartException">It could not be started.</exception>
    public static async Task<PrivateRabbitMq> StartAsync(bool management, CancellationToken cancellationToken = default)
    {
        var programs = new Programs(
            ServerPrograms.FindRabbitMq("rabbitmq-server") ?? throw NotInstalled("rabbitmq-server"),
            ServerPrograms.FindRabbitMq("rabbitmqctl") ?? throw NotInstalled("rabbitmqctl"),
            ServerPrograms.FindErlang("epmd") ?? throw NotInstalled("epmd")
        );
        var broker = new PrivateRabbitMq(ServerDirectory.Create("rabbitmq"), programs, management);
        try
        {
            await broker._configuration.WriteCookieAsync(cancellationToken);
            await broker.StartOnFreePortsAsync(cancellationToken);
            return broker;
        }
        catch
        {
            await broker.DisposeAsync();
            throw;
        }
    }

    /// <summary>Creates a virtual host in which the broker's user may do everything.</summary>
    /// <param name="name">Its name: letters, digits, <c>-</c>, <c>_</c> and <c>.</c>.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>Its AMQP address with user and password.</returns>
    /// <exception cref="InvalidOperationException">There is one of that name, or the broker does not run.</exception>
    public async Task<Uri> CreateVirtualHostAsync(string name, CancellationToken cancellationToken = default)
    {
        // One evaluation in the broker instead of two commands: each takes half a second to start.
        await EvaluateAsync(
            $"""
            ok = rabbit_vhost:add(<<"{Checked(name)}">>, <<"{User}">>),
            ok = rabbit_auth_backend_internal:set_permissions(
                <<"{User}">>, <<"{name}">>, <<".*">>, <<".*">>, <<".*">>, <<"{User}">>).
            """,
            cancellationToken
        );
        return new Uri(Uri, name);
    }

    /// <summary>Deletes a virtual host with all that is in it.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>When it is gone.</returns>
    /// <exception cref="InvalidOperationException">There is none of that name, or the broker does not run.</exception>
    public Task DeleteVirtualHostAsync(string name, CancellationToken cancellationToken = default) =>
        EvaluateAsync($"ok = rabbit_vhost:delete(<<\"{Checked(name)}\">>, <<\"{User}\">>).", cancellationToken);

    /// <summary>Stops the broker gracefully; data and ports are kept for <see cref="StartAgainAsync"/>.</summary>
    /// <param name="cancellationToken">Cancels the wait for its end.</param>
    /// <returns>When it has ended.</returns>
    public Task StopAsync(CancellationToken cancellationToken = default) => EndAsync("TERM", cancellationToken);

    /// <summary>
    /// Ends the broker with SIGKILL, as a crash would; data and ports are kept for <see cref="StartAgainAsync"/>.
    /// </summary>
    /// <remarks>The broker still has the queues that existed by then.</remarks>
    /// <param name="cancellationToken">Cancels the wait for its end.</param>
    /// <returns>When it has ended.</returns>
    public async Task KillAsync(CancellationToken cancellationToken = default)
    {
        await WriteQueuesAsync(cancellationToken);
        await EndAsync("KILL", cancellationToken);
    }

    /// <summary>Starts a broker that was stopped or killed, with its data, on its ports.</summary>
    /// <param name="cancellationToken">Cancels the start.</param>
    /// <returns>When it accepts connections.</returns>
    /// <exception cref="ServerStartException">It could not be started.</exception>
    public async Task StartAgainAsync(CancellationToken cancellationToken = default)
    {
        if (_process is not null)
            throw new InvalidOperationException("RabbitMQ is running.");

        var process = ServerProcess.Start(
            _directory,
            ["sh", "-c", Launch, "sagas-rabbitmq", _programs.Server, _programs.Epmd],
            _configuration.Environment()
        );
        _process = process;
        try
        {
            await process.WaitUntilReadyAsync("RabbitMQ", AcceptsConnectionsAsync, _patience, cancellationToken);
        }
        catch
        {
            await EndAsync("KILL", CancellationToken.None);
            throw;
        }
    }

    /// <summary>Ends the broker immediately and removes its data.</summary>
    /// <returns>When both are gone.</returns>
    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await _process.DisposeAsync();
        _process = null;
        ServerDirectory.Remove(_directory);
    }

    private static ServerNotInstalledException NotInstalled(string program) =>
        new("RabbitMQ", program, "rabbitmq-server", "rabbitmq");

    private static string Checked(string name) =>
        name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
            ? name
            : throw new ArgumentException(
                $"'{name}' is not a name for a virtual host: letters, digits, '-', '_' and '.' are.",
                nameof(name)
            );

    private async Task StartOnFreePortsAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            await _configuration.WriteAsync(RabbitMqPorts.Pick(), cancellationToken);
            try
            {
                await StartAgainAsync(cancellationToken);
                return;
            }
            catch (ServerStartException e) when (e.PortTaken && attempt < 5) { }
        }
    }

    private async Task EvaluateAsync(string expression, CancellationToken cancellationToken)
    {
        // Without a broker the tool would start an epmd of its own, which outlives it.
        if (_process is null or { HasExited: true })
            throw new InvalidOperationException("RabbitMQ does not run.");

        await ServerCommand.RunAsync(
            [_programs.Control, "eval", expression],
            _directory,
            _configuration.Environment(),
            cancellationToken
        );
    }

    // The broker writes which quorum queues it has to a file of its own, once it has been idle for half a
    // second. After an earlier kill a new queue is empty, even if messages were confirmed, and has no leader: it neither
    // accepts nor delivers messages.
    private async Task WriteQueuesAsync(CancellationToken cancellationToken)
    {
        if (_process is null or { HasExited: true })
            return;
        try
        {
            await EvaluateAsync("[ok = dets:sync(Table) || Table <- dets:all()].", cancellationToken);
        }
        catch (InvalidOperationException)
        {
            // A broker that does not run as expected is killed too.
        }
    }

    private async Task<bool> AcceptsConnectionsAsync(CancellationToken cancellationToken)
    {
        try
        {
            await ConnectAsync(cancellationToken).WaitAsync(_connectTimeout, cancellationToken);
            return true;
        }
        catch (Exception e) when (e is BrokerUnreachableException or RabbitMQClientException or IOException or TimeoutException)
        {
            return false;
        }
    }

    private async Task ConnectAsync(CancellationToken cancellationToken)
    {
        // The client awaits the broker's answer when it opens a channel, but not when it opens a connection.
        var factory = new ConnectionFactory { Uri = Uri, AutomaticRecoveryEnabled = false };
        await using var connection = await factory.CreateConnectionAsync(cancellationToken);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
    }

    private async Task EndAsync(string signal, CancellationToken cancellationToken)
    {
        if (_process is null)
            return;

        await _process.EndAsync(signal, cancellationToken);
        await _process.DisposeAsync();
        _process = null;
    }

    private sealed record Programs(string Server, string Control, string Epmd);
}
