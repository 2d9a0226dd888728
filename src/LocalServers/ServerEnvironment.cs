using System.Diagnostics;

namespace Sagas.LocalServers;

/// <summary>
/// The environment variables of a private server's programs: the caller's, without those that would affect the server.
/// </summary>
/// <param name="inheritedPrefixesToDrop">Variables with these prefixes are not inherited.</param>
/// <param name="variables">Variables to set.</param>
public sealed class ServerEnvironment(
    IReadOnlyList<string> inheritedPrefixesToDrop,
    IReadOnlyDictionary<string, string> variables
)
{
    public void ApplyTo(ProcessStartInfo start)
    {
        var inherited = start
            .Environment.Keys.Where(name =>
                inheritedPrefixesToDrop.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal))
            )
            .ToList();
        foreach (var name in inherited)
            start.Environment.Remove(name);
        foreach (var (name, value) in variables)
            start.Environment[name] = value;
    }
}
