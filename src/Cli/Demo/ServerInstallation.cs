using System.ComponentModel;
using System.Diagnostics;
using Sagas.Cli.CommandLine;
using Sagas.LocalServers;

namespace Sagas.Cli.Demo;

/// <summary>Installs the servers that the demo lacks, by the script that <c>test.sh</c> uses too.</summary>
internal static class ServerInstallation
{
    private const string Script = "install-servers.sh";

    /// <summary>Installs what is missing; asks first, unless --yes is given.</summary>
    /// <param name="terminal">Where problems are reported.</param>
    /// <param name="withRabbitMq">Whether RabbitMQ is needed too.</param>
    /// <param name="yes">Whether to install without asking.</param>
    /// <param name="cancellationToken">Ends the installation.</param>
    /// <exception cref="CommandException">A server is still missing.</exception>
    public static async Task EnsureAsync(Terminal terminal, bool withRabbitMq, bool yes, CancellationToken cancellationToken)
    {
        var missing = new List<string>();
        if (!PrivatePostgres.IsInstalled)
            missing.Add("postgresql");
        if (withRabbitMq && !PrivateRabbitMq.IsInstalled)
            missing.Add("rabbitmq-server");
        if (missing.Count == 0)
            return;

        var code = await RunAsync(yes ? ["--yes", .. missing] : missing, cancellationToken);
        if (!PrivatePostgres.IsInstalled)
        {
            throw new CommandException(
                ExitCode.Failed,
                "The demo needs PostgreSQL, which is not installed. Install it with `sagas demo --yes`, or use containers: "
                    + "`docker-compose up -d`."
            );
        }

        if (code != 0 && withRabbitMq && !PrivateRabbitMq.IsInstalled)
            await terminal.Error.WriteLineAsync("RabbitMQ is not installed; the demo continues without it.");
    }

    private static async Task<int> RunAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var path = Path.Combine(Path.GetTempPath(), $"sagas-{Guid.NewGuid():N}-{Script}");
        await WriteScriptAsync(path, cancellationToken);
        try
        {
            // Its output goes to standard error: standard output may be for JSON. It asks in the terminal of this process.
            string[] command = ["-c", "exec bash \"$@\" >&2", Script, path, .. arguments];
            using var process = Process.Start(new ProcessStartInfo("bash", command) { UseShellExecute = false })!;
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode;
        }
        catch (Win32Exception exception)
        {
            throw new CommandException(
                ExitCode.Failed,
                "The demo cannot install missing servers without bash. Install PostgreSQL (and RabbitMQ) by hand, or use "
                    + "containers: `docker-compose up -d`.",
                exception
            );
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static async Task WriteScriptAsync(string path, CancellationToken cancellationToken)
    {
        await using var script = typeof(ServerInstallation).Assembly.GetManifestResourceStream(Script)!;
        await using var file = File.Create(path);
        await script.CopyToAsync(file, cancellationToken);
    }
}
