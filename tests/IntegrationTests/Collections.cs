namespace Sagas.IntegrationTests;

/// <summary>Tests that kill the servers that they share run one after the other, beside all others.</summary>
[CollectionDefinition(nameof(KillableServers))]
public sealed class KillableServersTests : ICollectionFixture<KillableServers>;

/// <summary>Tests that start servers of their own run one after the other, beside all others: each pair of servers takes a while to start.</summary>
[CollectionDefinition(Name)]
public sealed class OwnServers
{
    public const string Name = "own servers";
}
