namespace Sagas.IntegrationTests;

/// <summary>Tests that kill the servers that they share run one after the other, in parallel to all other tests.</summary>
[CollectionDefinition(nameof(KillableServers))]
public sealed class KillableServersTests : ICollectionFixture<KillableServers>;

/// <summary>Tests that start their own servers run one after the other, in parallel to all other tests.</summary>
[CollectionDefinition(Name)]
public sealed class OwnServers
{
    public const string Name = "own servers";
}
