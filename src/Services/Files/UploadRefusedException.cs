namespace Sagas.Services.Files;

/// <summary>An upload is not accepted; nothing of it is kept.</summary>
/// <param name="statusCode">What HTTP calls it.</param>
/// <param name="reason">A sentence for the sender.</param>
public sealed class UploadRefusedException(int statusCode, string reason) : Exception(reason)
{
    /// <summary>The HTTP status.</summary>
    public int StatusCode { get; } = statusCode;
}
