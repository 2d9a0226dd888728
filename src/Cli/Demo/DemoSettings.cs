namespace Sagas.Cli.Demo;

/// <summary>Configuration of what the demo runs.</summary>
internal static class DemoSettings
{
    /// <summary>Configuration of the simulators.</summary>
    /// <param name="url">Where they listen.</param>
    public static Dictionary<string, string?> OfSimulators(string url) =>
        new()
        {
            ["urls"] = url,
            ["Logging:LogLevel:Default"] = "Error",
            ["Logging:LogLevel:Microsoft"] = "Error",
            ["Logging:Console:LogToStandardErrorThreshold"] = "Trace",
        };

    /// <summary>Configuration of the services.</summary>
    /// <param name="url">Where they listen.</param>
    /// <param name="postgres">Their database.</param>
    /// <param name="rabbitMq">Their broker; null: none.</param>
    /// <param name="simulators">The simulated third parties.</param>
    /// <param name="operatorKey">The key of what can be changed over HTTP.</param>
    /// <param name="quiet">Whether standard output is for JSON.</param>
    public static Dictionary<string, string?> OfServices(
        string url,
        string postgres,
        Uri? rabbitMq,
        Uri simulators,
        string operatorKey,
        bool quiet
    )
    {
        // The log shares the terminal with the report: only errors may interrupt it.
        var level = quiet ? "Fatal" : "Error";
        return new Dictionary<string, string?>
        {
            ["urls"] = url,
            ["ConnectionStrings:Postgres"] = postgres,
            ["Bus:Transport"] = rabbitMq is null ? "InMemory" : "RabbitMq",
            ["RabbitMq:Uri"] = rabbitMq?.ToString(),
            ["Roles"] = "",
            ["Operations:ApiKey"] = operatorKey,
            ["Payments:GatewayUrl"] = simulators.ToString(),
            ["Alerts:Endpoint"] = new Uri(simulators, "webhooks/alerts").ToString(),
            ["Alerts:AllowedHosts"] = simulators.Host,
            ["Crm:Url"] = new Uri(simulators, "crm").ToString(),
            ["ObjectStatus:StatusApi"] = new Uri(simulators, "object-status").ToString(),
            ["Serilog:MinimumLevel:Default"] = level,
            ["Serilog:MinimumLevel:Override:Microsoft"] = level,
            ["Serilog:MinimumLevel:Override:Microsoft.Hosting.Lifetime"] = level,
            ["Serilog:MinimumLevel:Override:System"] = level,
            // It logs failed messages with their stack traces; the dead letters show them better.
            ["Serilog:MinimumLevel:Override:MassTransit"] = "Fatal",
        };
    }
}
