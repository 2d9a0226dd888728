namespace Sagas.Cli.CommandLine;

/// <summary>The exit codes of the process.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Ok = 0;

    /// <summary>Failed.</summary>
    public const int Failed = 1;

    /// <summary>The command line is not valid.</summary>
    public const int Usage = 2;

    /// <summary>A server cannot be reached or refuses the login.</summary>
    public const int CannotConnect = 3;

    /// <summary>What the command names does not exist.</summary>
    public const int NotFound = 4;

    /// <summary>Ended by Ctrl-C or SIGTERM: 128 and the number of SIGINT, as in shells.</summary>
    public const int Interrupted = 130;

    /// <summary>The line that every help text ends with.</summary>
    public const string Help = "0 ok, 1 failure, 2 usage, 3 cannot connect, 4 not found, 130 interrupted";
}
