namespace Sagas.IntegrationTests;

/// <summary>How long tests wait for what must come.</summary>
public static class Patience
{
    /// <summary>Reached only by what never comes: many times what it takes on a machine that does much else.</summary>
    public static TimeSpan Long { get; } = TimeSpan.FromMinutes(3);
}
