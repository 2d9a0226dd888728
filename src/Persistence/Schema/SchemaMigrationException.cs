namespace Sagas.Persistence;

/// <summary>The schema cannot be brought up to date; the message says what to change.</summary>
public sealed class SchemaMigrationException : InvalidOperationException
{
    internal SchemaMigrationException(string message, Exception? cause = null)
        : base(message, cause) { }
}
