using System.ComponentModel.DataAnnotations;
using Sagas.Configuration;

namespace Sagas.Host.Settings;

/// <summary>How the broker is reached.</summary>
internal sealed record RabbitMqOptions : IValidatedOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "RabbitMq";

    /// <summary>
    /// Address of the broker; <c>amqps://</c> for TLS. The path names the virtual host. Special characters of the password
    /// are written as <c>%XX</c>. A warning is logged while it has the development password.
    /// </summary>
    public string Uri { get; init; } = $"amqp://sagas:{DevelopmentPassword.Value}@localhost:5672/";

    /// <summary>Messages that a queue's consumer works on at once.</summary>
    [Range(1, 10_000)]
    public int PrefetchCount { get; init; } = 128;

    /// <summary>After about twice this long without traffic, the connection counts as lost.</summary>
    [Range(typeof(TimeSpan), "00:00:05", "00:05:00")]
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Scheme, host, port and virtual host, without user and password: this one may be logged.</summary>
    public Uri Address =>
        Parsed is { } uri
            ? new UriBuilder(
                uri.Scheme,
                uri.Host,
                uri.Port > 0 ? uri.Port
                    : uri.Scheme == "amqps" ? 5671
                    : 5672,
                uri.AbsolutePath
            ).Uri
            : new Uri("amqp://localhost:5672/");

    /// <summary>User name.</summary>
    public string User => UserInfo(0);

    /// <summary>Password.</summary>
    public string Password => UserInfo(1);

    /// <summary>Whether the connection is encrypted.</summary>
    public bool UsesTls => Address.Scheme == "amqps";

    /// <summary>The virtual host; "/" unless the path names one.</summary>
    public string VirtualHost => Address.AbsolutePath.Length > 1 ? System.Uri.UnescapeDataString(Address.AbsolutePath[1..]) : "/";

    /// <summary>Whether the password is the development default, which is public.</summary>
    public bool HasDevelopmentPassword => Password == DevelopmentPassword.Value;

    private Uri? Parsed =>
        System.Uri.TryCreate(Uri, UriKind.Absolute, out var uri)
        && uri.Scheme is ("amqp" or "amqps")
        && uri.Host.Length > 0
        && uri.AbsolutePath.Count(character => character == '/') <= 1
            ? uri
            : null;

    /// <inheritdoc/>
    /// <remarks>No sentence quotes the value: it holds the password.</remarks>
    public IEnumerable<string> Validate()
    {
        if (Parsed is null)
        {
            yield return $"{Section}:{nameof(Uri)} cannot be read: "
                + "use amqp://user:password@host:5672/vhost, or amqps:// for TLS, "
                + "with %XX for special characters in the password (as an environment variable: RabbitMq__Uri).";
        }
    }

    private string UserInfo(int part) =>
        Parsed?.UserInfo.Split(':', 2).ElementAtOrDefault(part) is { Length: > 0 } text
            ? System.Uri.UnescapeDataString(text)
            : "guest";

    // A record prints its members, and this one has a password.
    private bool PrintMembers(System.Text.StringBuilder text)
    {
        text.Append(nameof(Address)).Append(" = ").Append(Address);
        return true;
    }
}
