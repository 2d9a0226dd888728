using System.ComponentModel.DataAnnotations;

namespace Sagas.Services.Messages;

/// <summary>Configuration section <c>Messages</c>: what is accepted from producers.</summary>
public sealed record MessagesOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Messages";

    /// <summary>How far ahead of this machine's clock a time in a message may be.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan MaxClockSkew { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The largest body, in bytes.</summary>
    [Range(1024, 64 * 1024 * 1024)]
    public int MaxBodyBytes { get; init; } = 1024 * 1024;
}
