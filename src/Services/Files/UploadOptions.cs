namespace Sagas.Services.Files;

/// <summary>Where uploads go, and how large they may be.</summary>
public sealed record UploadOptions
{
    /// <summary>The folder that uploads are written to; it is made when it is missing.</summary>
    public required string Path { get; init; }

    /// <summary>The largest file, in bytes.</summary>
    public long MaxBytes { get; init; } = 10L * 1024 * 1024 * 1024;
}
