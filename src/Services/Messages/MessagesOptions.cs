namespace Sagas.Services.Messages;

/// <summary>What is accepted from producers: the section <c>Messages</c>.</summary>
public sealed record MessagesOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Messages";

    /// <summary>How far ahead of this machine's clock a time in a message may be; <c>Messages:AllowedClockSkew</c>.</summary>
    public TimeSpan AllowedClockSkew { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The longest body that is read, in bytes; <c>Messages:MaximumBodySize</c>.</summary>
    public int MaximumBodySize { get; init; } = 1024 * 1024;
}
