namespace Sagas.FileIntake.Uploads;

/// <summary>Where uploads are written to, and how large they may be.</summary>
public sealed record UploadOptions
{
    /// <summary>The folder that uploads are written to; it is created when it is missing.</summary>
    public required string Path { get; init; }

    /// <summary>The largest file, in bytes.</summary>
    public required long MaxBytes { get; init; }
}
