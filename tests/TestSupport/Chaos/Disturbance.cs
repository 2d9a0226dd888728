namespace Sagas.TestSupport.Chaos;

/// <summary>Something that a chaos test does to the system under test.</summary>
/// <param name="Target">What it is done to. Disturbances of one target follow each other; those of several overlap.</param>
/// <param name="Moment">How much of the work is done by then, from 0 to 1.</param>
/// <param name="What">What is done to it.</param>
/// <param name="ActAsync">Does it, and completes when the next one may follow.</param>
public sealed record Disturbance(string Target, double Moment, string What, Func<Task> ActAsync);
