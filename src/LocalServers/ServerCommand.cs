using System.Diagnostics;

namespace Sagas.LocalServers;

/// <summary>Programs that run once and end: <c>initdb</c>, <c>rabbitmqctl</c> and the like.</summary>
public static class ServerCommand
{
    /// <summary>Runs the command to its end.</summary>
    /// <returns>What it wrote to its output.</returns>
    /// <exception cref="InvalidOperationException">It ended with another code than 0.</exception>
    public static async Task<string> RunAsync(
        IReadOnlyList<string> command,
        string workingDirectory,
        ServerEnvironment environment,
        CancellationToken cancellationToken
    )
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            WorkingDirectory = workingDirectory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        environment.ApplyTo(start);

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode == 0
                ? await output
                : throw new InvalidOperationException(
                    $"'{command[0]}' ended with code {process.ExitCode}: {await output}{await errors}".TrimEnd()
                );
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }
}
