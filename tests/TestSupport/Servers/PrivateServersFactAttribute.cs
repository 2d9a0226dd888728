using Sagas.LocalServers;

namespace Sagas.TestSupport.Servers;

/// <summary>A test that needs the programs of both servers, which may be missing where the tests use given servers.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PrivateServersFactAttribute : FactAttribute
{
    /// <summary>Skips the test where servers were given and their programs are missing.</summary>
    public PrivateServersFactAttribute()
    {
        if (!CanStart)
            Skip = "starts PostgreSQL and RabbitMQ, which are not installed here";
    }

    // Without servers given, tests fail where the programs are missing: a skipped test must not count as a success.
    internal static bool CanStart =>
        (PrivatePostgres.IsInstalled && PrivateRabbitMq.IsInstalled)
        || !(IsGiven("SAGAS_TEST_POSTGRES") && IsGiven("SAGAS_TEST_RABBITMQ"));

    private static bool IsGiven(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 };
}
