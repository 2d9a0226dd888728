using System.Buffers;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Sagas.Services.Files;

/// <summary>A file that was sent by HTTP and is on the disk as a whole.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Name">What the sender calls it; without folders.</param>
/// <param name="Length">In bytes.</param>
/// <param name="Hash">Its <see cref="ContentHash"/>.</param>
public sealed record Upload(string Path, string Name, long Length, string Hash)
{
    // What multipart adds around the file.
    private const int MultipartOverhead = 64 * 1024;
    private const int LongestName = 200;
    private const string Unfinished = ".part";
    private static readonly TimeSpan _abandonedAfter = TimeSpan.FromDays(1);

    /// <summary>Streams a request's body to disk: raw, or the one file of a multipart form.</summary>
    /// <param name="request">The request. A raw body is named by the query's <c>name</c> or by Content-Disposition.</param>
    /// <param name="options">Where to, and how large it may be.</param>
    /// <param name="cancellationToken">Stops; what was written is removed.</param>
    /// <returns>The file, flushed to disk, under a name that nobody else uses.</returns>
    /// <exception cref="UploadRefusedException">It is empty, too large, cut off or not what it says, or the disk is full.</exception>
    public static async Task<Upload> ReceiveAsync(HttpRequest request, UploadOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(options);
        if (request.ContentLength > options.MaxBytes + MultipartOverhead)
            throw TooLarge(options);
        // The server's own limit is made for requests in memory.
        if (request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = options.MaxBytes + MultipartOverhead;
        try
        {
            Directory.CreateDirectory(options.Path);
            RemoveAbandoned(options.Path);
            return MediaTypeHeaderValue.TryParse(request.ContentType, out var type) && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
                ? await ReceiveMultipartAsync(request, type, options, cancellationToken)
                : await WriteAsync(request.Body, RawName(request), options, cancellationToken);
        }
        catch (BadHttpRequestException exception)
        {
            throw exception.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? TooLarge(options)
                : new UploadRefusedException(exception.StatusCode, "The body was cut off before its end.");
        }
    }

    private static async Task<Upload> ReceiveMultipartAsync(
        HttpRequest request, MediaTypeHeaderValue type, UploadOptions options, CancellationToken cancellationToken)
    {
        var boundary = HeaderUtilities.RemoveQuotes(type.Boundary).Value;
        if (string.IsNullOrEmpty(boundary) || boundary.Length > 200)
            throw new UploadRefusedException(StatusCodes.Status400BadRequest, "The form names no usable boundary in its Content-Type.");
        var reader = new MultipartReader(boundary, request.Body);
        Upload? upload = null;
        try
        {
            while (await reader.ReadNextSectionAsync(cancellationToken) is { } section)
            {
                // Fields that are no files do not matter here.
                if (section.AsFileSection() is not { FileStream: { } body } file)
                    continue;
                if (upload is not null)
                    throw new UploadRefusedException(StatusCodes.Status400BadRequest, "Send one file per request.");
                upload = await WriteAsync(body, file.FileName, options, cancellationToken);
            }
        }
        catch (Exception exception)
        {
            if (upload is not null)
                File.Delete(upload.Path);
            if (exception is IOException or InvalidDataException)
                throw new UploadRefusedException(StatusCodes.Status400BadRequest, "The multipart form is malformed or was cut off before its end.");
            throw;
        }
        return upload ?? throw new UploadRefusedException(
            StatusCodes.Status400BadRequest, "The form has no file: send one as multipart/form-data, or as the body itself.");
    }

    private static async Task<Upload> WriteAsync(Stream body, string? name, UploadOptions options, CancellationToken cancellationToken)
    {
        var path = System.IO.Path.Combine(System.IO.Path.GetFullPath(options.Path), Guid.CreateVersion7().ToString("N"));
        try
        {
            var (length, hash) = await CopyAsync(body, path + Unfinished, options, cancellationToken);
            if (length == 0)
                throw new UploadRefusedException(StatusCodes.Status400BadRequest, "The file is empty.");
            File.Move(path + Unfinished, path);
            return new Upload(path, CleanName(name), length, hash);
        }
        catch
        {
            File.Delete(path + Unfinished);
            throw;
        }
    }

    private static async Task<(long Length, string Hash)> CopyAsync(Stream body, string path, UploadOptions options, CancellationToken cancellationToken)
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
            throw new UploadRefusedException(StatusCodes.Status507InsufficientStorage, $"The file cannot be stored: {exception.Message}");
        }
    }

    // Left by a process that was killed while it received.
    private static void RemoveAbandoned(string folder)
    {
        foreach (var part in new DirectoryInfo(folder).EnumerateFiles("*" + Unfinished))
        {
            if (DateTime.UtcNow - part.LastWriteTimeUtc > _abandonedAfter)
                part.Delete();
        }
    }

    private static UploadRefusedException TooLarge(UploadOptions options) => new(
        StatusCodes.Status413PayloadTooLarge, $"The file is larger than {options.MaxBytes:N0} bytes, the most that is accepted.");

    private static string? RawName(HttpRequest request)
    {
        if (request.Query["name"] is [{ Length: > 0 } name, ..])
            return name;
        return ContentDispositionHeaderValue.TryParse(request.Headers.ContentDisposition.ToString(), out var disposition)
            ? (disposition.FileNameStar.Value ?? HeaderUtilities.RemoveQuotes(disposition.FileName).Value)
            : null;
    }

    // The name is for people: it is shown, and never used as a path.
    private static string CleanName(string? name)
    {
        var last = (name ?? "").Split('/', '\\')[^1];
        var clean = string.Concat(last.Where(character => !char.IsControl(character) && !char.IsSurrogate(character))).Trim();
        return clean.Length == 0 ? "upload.csv" : clean[..Math.Min(clean.Length, LongestName)];
    }
}
