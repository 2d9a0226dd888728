namespace Sagas.TestSupport.Servers;

/// <summary>A virtual host of a test's own.</summary>
/// <param name="uri">Its AMQP address with user and password.</param>
/// <param name="deleteAsync">Deletes it with all that is in it.</param>
public sealed class TestVirtualHost(Uri uri, Func<Task> deleteAsync) : IAsyncDisposable
{
    /// <summary>Its AMQP address with user and password.</summary>
    public Uri Uri { get; } = uri;

    /// <summary>Deletes it with all that is in it.</summary>
    public async ValueTask DisposeAsync() => await deleteAsync();
}
