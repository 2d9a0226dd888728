using System.Security.Cryptography;

namespace Sagas.FileIntake.Storage;

/// <summary>Identifies a file by its content, not by its name.</summary>
public static class ContentHash
{
    private const int BlockBytes = 256 * 1024;

    /// <summary>Computes the SHA-256 of a file: 64 hexadecimal digits in lower case.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Permission to read the file is missing.</exception>
    public static async Task<string> ComputeAsync(string path, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(
            path,
            FileMode.Open,
            FileAccess.Read,
            FileShare.ReadWrite | FileShare.Delete,
            bufferSize: 0,
            FileOptions.SequentialScan
        );
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var block = new byte[BlockBytes];
        while (await file.ReadAsync(block, cancellationToken) is > 0 and var read)
            hash.AppendData(block, 0, read);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
