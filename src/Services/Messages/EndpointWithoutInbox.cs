namespace Sagas.Services.Messages;

/// <summary>Registered as a service, it names a queue whose consumers are idempotent by themselves: they get neither inbox nor
/// transaction, and commit before they return whatever must not be lost.</summary>
/// <param name="Queue">The queue.</param>
public sealed record EndpointWithoutInbox(string Queue);
