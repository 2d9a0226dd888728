using Xunit.Abstractions;

namespace Sagas.TestSupport;

/// <summary>
/// Starts the collections of several classes before those of one: their tests run one after the other, and a run ends
/// when the longest collection does.
/// </summary>
public sealed class LongestCollectionsFirst : ITestCollectionOrderer
{
    /// <inheritdoc/>
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections
            .OrderBy(collection => collection.CollectionDefinition is null)
            .ThenBy(collection => collection.DisplayName, StringComparer.Ordinal);
}
