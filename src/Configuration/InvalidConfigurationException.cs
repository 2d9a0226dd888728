namespace Sagas.Configuration;

/// <summary>The configuration cannot be used.</summary>
/// <param name="problems">One sentence each, naming the key, what it is and what it should be.</param>
public sealed class InvalidConfigurationException(IReadOnlyList<string> problems) : Exception(string.Join(" ", problems))
{
    /// <summary>What is wrong, one sentence each.</summary>
    public IReadOnlyList<string> Problems { get; } = problems;
}
