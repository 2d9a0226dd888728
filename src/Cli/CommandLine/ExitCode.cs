namespace Sagas.Cli.CommandLine;

/// <summary>What the process answers to the shell: the one place where the numbers are.</summary>
internal static class ExitCode
{
    /// <summary>It was done.</summary>
    public const int Ok = 0;

    /// <summary>It was tried and failed.</summary>
    public const int Failed = 1;

    /// <summary>The command line does not say something that can be done.</summary>
    public const int Usage = 2;

    /// <summary>RabbitMQ or Postgres cannot be reached, or does not let us in.</summary>
    public const int CannotConnect = 3;

    /// <summary>What the command line names does not exist.</summary>
    public const int NotFound = 4;

    /// <summary>Ctrl-C, or SIGTERM, ended it before it was done: 128 and the number of SIGINT, as shells count.</summary>
    public const int Interrupted = 130;

    /// <summary>The line that every help text ends with.</summary>
    public const string Help = "0 ok, 1 failure, 2 usage, 3 cannot connect, 4 not found, 130 interrupted";
}
