using System.Security.Cryptography;

namespace Sagas.Services.Files;

/// <summary>Names a file by its content: the same content is the same file, whatever it is called.</summary>
public static class ContentHash
{
    private const int BlockLength = 256 * 1024;

    /// <summary>Computes the SHA-256 of a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <returns>64 hexadecimal digits in lower case.</returns>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file must not be read.</exception>
    public static async Task<string> ComputeAsync(string path, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, FileOptions.SequentialScan);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var block = new byte[BlockLength];
        while (await file.ReadAsync(block, cancellationToken) is > 0 and var read)
            hash.AppendData(block, 0, read);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
