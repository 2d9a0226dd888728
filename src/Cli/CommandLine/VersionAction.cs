using System.CommandLine;
using System.CommandLine.Invocation;
using System.Reflection;

namespace Sagas.Cli.CommandLine;

/// <summary>Writes the version of the program.</summary>
internal sealed class VersionAction : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        var attribute = typeof(VersionAction).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>();
        parseResult.InvocationConfiguration.Output.WriteLine($"sagas {attribute?.InformationalVersion}");
        return ExitCode.Ok;
    }
}
