using System.Buffers;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using Sagas.FileIntake.Storage;

namespace Sagas.FileIntake.Uploads;

/// <summary>A file that was received over HTTP and is complete on disk.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Name">The sender's name for it, without folders.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Hash">Its <see cref="ContentHash"/>.</param>
public sealed record Upload(string Path, string Name, long Length, string Hash)
{
    // What a multipart form adds to the file.
    private const int MaxMultipartOverheadBytes = 64 * 1024;
    private const int MaxNameLength = 200;
    private const string Unfinished = ".part";
    private static readonly TimeSpan _abandonedRetention = TimeSpan.FromDays(1);

    /// <summary>Streams a request's body to disk: raw, or the one file of a multipart form.</summary>
    /// <param name="request">The request. A raw body is named by the query's <c>name</c> or by Content-Disposition.</param>
    /// <param name="options">Where to, and how large it may be.</param>
    /// <param name="timeProvider">The clock.</param>
    /// <param name="cancellationToken">Cancels; what was written is deleted.</param>
    /// <returns>The file, flushed to disk under a unique name.</returns>
    /// <exception cref="InvalidUploadException">It is empty, too large, cut off or malformed, or the disk is full.</exception>
    public static async Task<Upload> ReceiveAsync(
        HttpRequest request,
        UploadOptions options,
        TimeProvider timeProvider,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(options);
        if (request.ContentLength > options.MaxBytes + MaxMultipartOverheadBytes)
            throw TooLarge(options);
        CheckEncoding(request.Headers.ContentEncoding.ToString());
        // The server's default limit is meant for requests in memory.
        if (request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = options.MaxBytes + MaxMultipartOverheadBytes;
        try
        {
            Directory.CreateDirectory(options.Path);
            DeleteAbandoned(options.Path, timeProvider.GetUtcNow().UtcDateTime);
            return
                MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
                && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
                ? await ReceiveMultipartAsync(request, type, options, cancellationToken)
                : await WriteAsync(request.Body, RawName(request), options, cancellationToken);
        }
        catch (BadHttpRequestException exception)
        {
            throw exception.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? TooLarge(options)
                : new InvalidUploadException(exception.StatusCode, "The body was cut off.");
        }
    }

    private static async Task<Upload> ReceiveMultipartAsync(
        HttpRequest request,
        MediaTypeHeaderValue type,
        UploadOptions options,
        CancellationToken cancellationToken
    )
    {
        var boundary = HeaderUtilities.RemoveQuotes(type.Boundary).Value;
        if (string.IsNullOrEmpty(boundary) || boundary.Length > 200)
            throw Invalid("The Content-Type of the form has no valid boundary.");
        var reader = new MultipartReader(boundary, request.Body);
        Upload? upload = null;
        try
        {
            while (await reader.ReadNextSectionAsync(cancellationToken) is { } section)
            {
                // Other fields are ignored.
                if (section.AsFileSection() is not { FileStream: { } body } file)
                    continue;
                if (upload is not null)
                    throw Invalid("Send one file per request.");
                upload = await WriteAsync(body, file.FileName, options, cancellationToken);
            }
        }
        catch (Exception exception)
        {
            if (upload is not null)
                File.Delete(upload.Path);
            if (exception is IOException or InvalidDataException)
                throw Invalid("The multipart form is malformed or was cut off.");
            throw;
        }
        return upload ?? throw Invalid("The form has no file: send one as multipart/form-data, or as the body itself.");
    }

    private static async Task<Upload> WriteAsync(
        Stream body,
        string? name,
        UploadOptions options,
        CancellationToken cancellationToken
    )
    {
        var path = System.IO.Path.Combine(System.IO.Path.GetFullPath(options.Path), Guid.CreateVersion7().ToString("N"));
        try
        {
            var (length, hash) = await CopyAsync(body, path + Unfinished, options, cancellationToken);
            if (length == 0)
                throw Invalid("The file is empty.");
            File.Move(path + Unfinished, path);
            return new Upload(path, CleanName(name), length, hash);
        }
        catch
        {
            File.Delete(path + Unfinished);
            throw;
        }
    }

    private static async Task<(long Length, string Hash)> CopyAsync(
        Stream body,
        string path,
        UploadOptions options,
        CancellationToken cancellationToken
    )
    {
        await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var block = ArrayPool<byte>.Shared.Rent(64 * 1024);
        try
        {
            var length = 0L;
            while (await body.ReadAsync(block, cancellationToken) is > 0 and var read)
            {
                length += read;
                if (length > options.MaxBytes)
                    throw TooLarge(options);
                hash.AppendData(block, 0, read);
                await WriteBlockAsync(file, block.AsMemory(0, read), cancellationToken);
            }
            file.Flush(flushToDisk: true);
            return (length, Convert.ToHexStringLower(hash.GetHashAndReset()));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }
    }

    private static async Task WriteBlockAsync(FileStream file, ReadOnlyMemory<byte> block, CancellationToken cancellationToken)
    {
        try
        {
            await file.WriteAsync(block, cancellationToken);
        }
        catch (IOException exception)
        {
            throw new InvalidUploadException(
                StatusCodes.Status507InsufficientStorage,
                $"The file cannot be stored: {exception.Message}"
            );
        }
    }

    // Left by a process that was killed while receiving.
    private static void DeleteAbandoned(string folder, DateTime now)
    {
        foreach (var part in new DirectoryInfo(folder).EnumerateFiles("*" + Unfinished))
        {
            if (now - part.LastWriteTimeUtc > _abandonedRetention)
                part.Delete();
        }
    }

    private static InvalidUploadException Invalid(string reason) => new(StatusCodes.Status400BadRequest, reason);

    // A gzip file is read as it is; other compressions would be stored and then found to be no table.
    private static void CheckEncoding(string encoding)
    {
        if (encoding.Trim().ToUpperInvariant() is not ("" or "IDENTITY" or "GZIP" or "X-GZIP"))
            throw new InvalidUploadException(
                StatusCodes.Status415UnsupportedMediaType,
                "The body may be compressed by gzip only, or not at all."
            );
    }

    private static InvalidUploadException TooLarge(UploadOptions options) =>
        new(StatusCodes.Status413PayloadTooLarge, $"The file is larger than {options.MaxBytes:N0} bytes, the limit for uploads.");

    private static string? RawName(HttpRequest request)
    {
        if (request.Query["name"] is [{ Length: > 0 } name, ..])
            return name;
        return ContentDispositionHeaderValue.TryParse(request.Headers.ContentDisposition.ToString(), out var disposition)
            ? (disposition.FileNameStar.Value ?? HeaderUtilities.RemoveQuotes(disposition.FileName).Value)
            : null;
    }

    // The name is only shown, never used as a path. It begins with a letter or the like, so that it can be a file's.
    private static string CleanName(string? name)
    {
        var last = (name ?? "").Split('/', '\\')[^1];
        var clean = string.Concat(last.Where(character => !char.IsControl(character) && !char.IsSurrogate(character))).Trim();
        var stem = clean.TrimStart('.', ' ');
        if (stem.Length == 0)
            return "upload.csv";
        if (stem.Length < clean.Length)
            clean = $"upload.{stem}";
        return clean[..Math.Min(clean.Length, MaxNameLength)];
    }
}
