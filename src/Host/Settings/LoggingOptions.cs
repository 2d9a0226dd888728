namespace Sagas.Host.Settings;

/// <summary>How log lines are written.</summary>
internal sealed record LoggingOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Logging";

    /// <summary><c>Text</c>, or <c>Json</c> for one object per line in compact log event format.</summary>
    public LogFormat Format { get; init; } = LogFormat.Text;
}

/// <summary>A format of log lines.</summary>
internal enum LogFormat
{
    /// <summary>For people.</summary>
    Text,

    /// <summary>For programs.</summary>
    Json,
}
