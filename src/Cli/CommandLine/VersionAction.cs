using System.CommandLine;
using System.CommandLine.Invocation;
using System.Reflection;

namespace Sagas.Cli.CommandLine;

/// <summary>Says which build of the program this is.</summary>
internal sealed class VersionAction : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        var version = typeof(VersionAction).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        parseResult.InvocationConfiguration.Output.WriteLine($"sagas {version}");
        return ExitCode.Ok;
    }
}
