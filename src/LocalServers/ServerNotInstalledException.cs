namespace Sagas.LocalServers;

/// <summary>A server's program is not on this machine; the message says what to install.</summary>
/// <param name="server">The server's name, for people.</param>
/// <param name="program">The program that was looked for.</param>
/// <param name="aptPackage">The package of Debian and Ubuntu that has it.</param>
/// <param name="brewPackage">The Homebrew package that has it.</param>
public sealed class ServerNotInstalledException(string server, string program, string aptPackage, string brewPackage)
    : Exception(
        $"{server} is not installed: '{program}' is neither in its usual places nor on the PATH. "
            + $"Install it with 'apt-get install {aptPackage}' (both servers: 'apt-get install postgresql rabbitmq-server') "
            + $"or 'brew install {brewPackage}'; its system service need not run."
    );
