namespace Sagas.Cli.CommandLine;

/// <summary>Ends a command with a message for its user.</summary>
/// <param name="exitCode">One of <see cref="ExitCode"/>.</param>
/// <param name="message">What failed and how to fix it.</param>
/// <param name="cause">The exception behind it.</param>
internal sealed class CommandException(int exitCode, string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>One of <see cref="CommandLine.ExitCode"/>.</summary>
    public int ExitCode { get; } = exitCode;
}
