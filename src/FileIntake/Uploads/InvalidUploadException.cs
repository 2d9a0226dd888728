namespace Sagas.FileIntake.Uploads;

/// <summary>An upload cannot be accepted; nothing of it is kept.</summary>
/// <param name="statusCode">The HTTP status of the response.</param>
/// <param name="reason">A sentence for the sender.</param>
public sealed class InvalidUploadException(int statusCode, string reason) : Exception(reason)
{
    /// <summary>The HTTP status of the response.</summary>
    public int StatusCode { get; } = statusCode;
}
