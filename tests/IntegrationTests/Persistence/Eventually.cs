namespace Sagas.IntegrationTests.Persistence;

/// <summary>Awaits what other tasks and processes do.</summary>
internal static class Eventually
{
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(10);

    public static async Task EqualsAsync<T>(T expected, Func<Task<T>> actual)
    {
        var value = default(T);
        await TrueAsync(async () => Equals(expected, value = await actual()), () => $"{expected} was awaited, it stays {value}");
    }

    public static Task EqualsAsync<T>(T expected, Func<T> actual) => EqualsAsync(expected, () => Task.FromResult(actual()));

    public static async Task TrueAsync(Func<Task<bool>> condition, Func<string> complaint)
    {
        var end = DateTime.UtcNow + Patience.Long;
        while (!await condition())
        {
            Assert.True(DateTime.UtcNow < end, complaint());
            await Task.Delay(_pause);
        }
    }
}
