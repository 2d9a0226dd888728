namespace Sagas.Host.Settings;

/// <summary>How to reach RabbitMQ.</summary>
/// <param name="Address">Scheme, host, port and virtual host, without user and password: this one may be logged.</param>
/// <param name="User">User name.</param>
/// <param name="Password">Password.</param>
/// <param name="Prefetch">How many messages an endpoint works on at the same time.</param>
/// <param name="Heartbeat">After about twice this long without a sign of life, the connection counts as lost.</param>
internal sealed record RabbitMqSettings(Uri Address, string User, string Password, ushort Prefetch, TimeSpan Heartbeat)
{
    /// <summary>Whether the connection is encrypted.</summary>
    public bool UsesTls => Address.Scheme == "amqps";

    /// <summary>The virtual host; "/" unless the path names one.</summary>
    public string VirtualHost => Address.AbsolutePath.Length > 1 ? Uri.UnescapeDataString(Address.AbsolutePath[1..]) : "/";

    /// <summary>Reads <c>amqp://user:password@host:port/vhost</c>.</summary>
    public static bool TryParse(string value, ushort prefetch, TimeSpan heartbeat, out RabbitMqSettings settings)
    {
        settings = new RabbitMqSettings(new Uri("amqp://localhost:5672/"), "", "", prefetch, heartbeat);
        if (!Uri.TryCreate(value, UriKind.Absolute, out var uri) || uri.Scheme is not ("amqp" or "amqps") || uri.Host.Length == 0
            || uri.AbsolutePath.Count(character => character == '/') > 1)
            return false;
        var defaultPort = uri.Scheme == "amqps" ? 5671 : 5672;
        var user = uri.UserInfo.Split(':', 2);
        settings = new RabbitMqSettings(
            new UriBuilder(uri.Scheme, uri.Host, uri.Port > 0 ? uri.Port : defaultPort, uri.AbsolutePath).Uri,
            user[0].Length > 0 ? Uri.UnescapeDataString(user[0]) : "guest",
            user.Length > 1 ? Uri.UnescapeDataString(user[1]) : "guest",
            prefetch,
            heartbeat);
        return true;
    }
}
