using System.Reflection;
using Sagas.Configuration;
using Sagas.Simulators;

if (args.Any(argument => argument is "--help" or "-h" or "-?"))
{
    Console.WriteLine(CommandLineHelp.Text);
    return 0;
}

if (args is ["--health", ..])
    return await HealthProbe.RunAsync(args.ElementAtOrDefault(1), CancellationToken.None);

try
{
    await using var app = SimulatorHost.Create(args);
    await app.RunAsync();
    return 0;
}
catch (Exception exception) when (IsForTheOperator(exception))
{
    await Console.Error.WriteLineAsync($"The simulators did not start: {exception.Message}");
    return 1;
}

// Invalid configuration, a port or a record file that is taken: a sentence helps, a stack trace does not.
static bool IsForTheOperator(Exception exception) =>
    exception is InvalidConfigurationException or IOException or UnauthorizedAccessException or TargetInvocationException;
