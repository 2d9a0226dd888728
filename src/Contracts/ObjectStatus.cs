namespace Sagas.Contracts;

/// <summary>The status of an object is to be fetched.</summary>
/// <param name="ObjectId">The object's identifier, 1 to 128 characters without control characters.</param>
public sealed record ObjectStatusRequested(string ObjectId);

/// <summary>An object was seen online; told once for each answer that said so. Answers that crossed may be told out of order.</summary>
/// <param name="ObjectId">The object.</param>
/// <param name="SeenAt">When the status API answered.</param>
public sealed record ObjectSeen(string ObjectId, DateTimeOffset SeenAt);
