namespace Sagas.Persistence;

/// <summary>The process ends: its container, and with it the database, is gone.</summary>
internal sealed class ContainerDisposedException(Exception inner) : Exception("The container was disposed.", inner);
