using System.Security.Cryptography;

namespace Sagas.FileIntake.Storage;

/// <summary>Identifies a file by its content, not by its name.</summary>
public static class ContentHash
{
    private const int BlockBytes = 256 * 1024;

    /// <summary>Computes the SHA-256 of a file: 64 hexadecimal digits in lower case.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Permission to read the file is missing.</exception>
    public static Task<string> ComputeAsync(string path, CancellationToken cancellationToken) =>
        ComputeAsync(path, long.MaxValue, cancellationToken);

    /// <summary>Computes the SHA-256 of the first bytes of a file.</summary>
    /// <inheritdoc cref="ComputeAsync(string, CancellationToken)"/>
    public static async Task<string> ComputeAsync(string path, long length, CancellationToken cancellationToken)
    {
        await using var file = RegularFile.Open(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var block = new byte[BlockBytes];
        while (length > 0)
        {
            var read = await file.ReadAsync(block.AsMemory(0, (int)Math.Min(length, block.Length)), cancellationToken);
            if (read == 0)
                break;
            hash.AppendData(block, 0, read);
            length -= read;
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
