namespace Sagas.Contracts;

/// <summary>The status of an object is to be fetched.</summary>
/// <param name="ObjectId">The object's identifier, 1 to 128 characters without control characters.</param>
public sealed record ObjectStatusRequested(string ObjectId);

/// <summary>The status of several objects is to be fetched: becomes one <see cref="ObjectStatusRequested"/> each.</summary>
/// <param name="ObjectIds">The objects' identifiers, 1 to <see cref="MaxObjects"/> of them.</param>
public sealed record ObjectStatusesRequested(IReadOnlyList<string> ObjectIds)
{
    /// <summary>The most objects in one message.</summary>
    public const int MaxObjects = 1000;
}

/// <summary>
/// An object was seen online; published once for each such answer. Concurrent answers may be published out of order.
/// </summary>
/// <param name="ObjectId">The object.</param>
/// <param name="SeenAt">When the status API answered.</param>
public sealed record ObjectSeen(string ObjectId, DateTimeOffset SeenAt);
