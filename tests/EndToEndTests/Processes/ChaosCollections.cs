namespace Sagas.EndToEndTests.Processes;

/// <summary>
/// Tests that kill processes and servers. Those of a collection run one after the other on servers that they share; one
/// collection of all of them would be the longest part of a run.
/// </summary>
public static class ChaosCollections
{
    public const string First = "chaos 1";
    public const string Second = "chaos 2";

    [CollectionDefinition(First)]
    public sealed class FirstDefinition : ICollectionFixture<KillableServers>;

    [CollectionDefinition(Second)]
    public sealed class SecondDefinition : ICollectionFixture<KillableServers>;
}
