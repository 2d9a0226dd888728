using System.Security.Cryptography;

namespace Sagas.LocalServers;

/// <summary>The files and the environment of a private RabbitMQ broker: its ports, node name, cookie and user.</summary>
/// <param name="directory">Where the files go.</param>
/// <param name="user">The broker's user.</param>
/// <param name="management">Whether the management plugin runs.</param>
internal sealed class RabbitMqConfiguration(string directory, string user, bool management)
{
    private readonly string _node = $"sagas-{RandomNumberGenerator.GetHexString(8, lowercase: true)}@localhost";

    /// <summary>The user's password.</summary>
    public string Password { get; } = RandomNumberGenerator.GetHexString(32, lowercase: true);

    /// <summary>The ports last written.</summary>
    public RabbitMqPorts Ports { get; private set; } = new(0, 0, 0, 0);

    /// <summary>The address of the management plugin, where it runs.</summary>
    public Uri? ManagementUri => management ? new($"http://127.0.0.1:{Ports.Management}/") : null;

    /// <summary>Writes the cookie by which Erlang programs authenticate, with the path and mode that Erlang requires.</summary>
    public async Task WriteCookieAsync(CancellationToken cancellationToken)
    {
        await File.WriteAllTextAsync(InDirectory(".erlang.cookie"), RandomNumberGenerator.GetHexString(32), cancellationToken);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(InDirectory(".erlang.cookie"), UnixFileMode.UserRead);
    }

    /// <summary>Writes the server's files.</summary>
    /// <param name="ports">The ports to use from now on.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task WriteAsync(RabbitMqPorts ports, CancellationToken cancellationToken)
    {
        Ports = ports;
        var listener = management ? $"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {Ports.Management}\n" : "";
        await File.WriteAllTextAsync(
            InDirectory("rabbitmq.conf"),
            $"""
            listeners.tcp.1 = 127.0.0.1:{Ports.Amqp}
            default_user = {user}
            default_pass = {Password}
            log.console = true
            log.console.level = warning
            {listener}
            """,
            cancellationToken
        );
        await File.WriteAllTextAsync(
            InDirectory("enabled_plugins"),
            management ? "[rabbitmq_management]." : "[].",
            cancellationToken
        );
    }

    /// <summary>The variables of the server and of its command-line tool.</summary>
    // HOME is where Erlang looks for the cookie that lets the one talk to the other. RUNNING_UNDER_SYSTEMD makes the start
    // script become the server instead of its parent. Erlang threads that sleep instead of spinning (+sbwt none) leave the
    // processors to the other programs of a small machine.
    public ServerEnvironment Environment() =>
        new(
            ["RABBITMQ_", "ERL_", "NOTIFY_SOCKET", "LC_"],
            new Dictionary<string, string>
            {
                ["HOME"] = directory,
                ["LC_ALL"] = "C.UTF-8",
                ["ERL_EPMD_PORT"] = $"{Ports.Epmd}",
                ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
                ["RABBITMQ_NODENAME"] = _node,
                ["RABBITMQ_DIST_PORT"] = $"{Ports.Distribution}",
                ["RABBITMQ_MNESIA_BASE"] = InDirectory("data"),
                ["RABBITMQ_LOG_BASE"] = InDirectory("log"),
                ["RABBITMQ_LOGS"] = "-",
                ["RABBITMQ_CONFIG_FILE"] = InDirectory("rabbitmq.conf"),
                ["RABBITMQ_CONF_ENV_FILE"] = InDirectory("none"),
                ["RABBITMQ_ADVANCED_CONFIG_FILE"] = InDirectory("none.config"),
                ["RABBITMQ_GENERATED_CONFIG_DIR"] = InDirectory("generated"),
                ["RABBITMQ_ENABLED_PLUGINS_FILE"] = InDirectory("enabled_plugins"),
                ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] =
                    "+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}",
                ["RUNNING_UNDER_SYSTEMD"] = "true",
            }
        );

    private string InDirectory(string name) => Path.Combine(directory, name);
}

/// <summary>The loopback ports of a broker.</summary>
internal sealed record RabbitMqPorts(int Amqp, int Distribution, int Epmd, int Management)
{
    /// <summary>Picks ports that are free now.</summary>
    public static RabbitMqPorts Pick() =>
        LoopbackPorts.Pick(4) is [var amqp, var distribution, var epmd, var management]
            ? new RabbitMqPorts(amqp, distribution, epmd, management)
            : throw new InvalidOperationException("Four ports were asked for.");
}
