using System.Buffers;
using System.Globalization;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Sagas.Services.Messages;

namespace Sagas.Services.ObjectStatus.Callback;

/// <summary>
/// The request of a callback: distinct ids, in the order in which they were first named; or why it cannot be read.
/// </summary>
/// <param name="Ids">The ids; empty when there is a problem.</param>
/// <param name="Status">The HTTP status of the problem.</param>
/// <param name="Problem">What is wrong, one sentence; null: nothing.</param>
internal sealed record CallbackRequest(
    IReadOnlyCollection<string> Ids,
    int Status = StatusCodes.Status200OK,
    string? Problem = null
)
{
    private const string ListName = "object_ids";

    /// <summary>Reads a request, up to the size limit.</summary>
    public static async Task<CallbackRequest> ReadAsync(
        HttpRequest request,
        ObjectStatusOptions options,
        CancellationToken cancellationToken
    )
    {
        if (request.ContentLength > options.MaxBodyBytes)
            return TooLong(options);
        switch (request.Headers.ContentEncoding.ToString().Trim().ToUpperInvariant())
        {
            case "" or "IDENTITY":
                return await ReadAsync(request.BodyReader, options, cancellationToken);
            case "GZIP" or "X-GZIP":
                await using (var content = new GZipStream(request.Body, CompressionMode.Decompress))
                    return await DecompressAsync(content, options, cancellationToken);
            default:
                return new(
                    [],
                    StatusCodes.Status415UnsupportedMediaType,
                    "The body may be compressed by gzip only, or not at all."
                );
        }
    }

    private static async Task<CallbackRequest> DecompressAsync(
        GZipStream content,
        ObjectStatusOptions options,
        CancellationToken cancellationToken
    )
    {
        var reader = PipeReader.Create(content, new StreamPipeReaderOptions(leaveOpen: true));
        try
        {
            return await ReadAsync(reader, options, cancellationToken);
        }
        catch (InvalidDataException)
        {
            return BadRequest("The body is not what its Content-Encoding says: gzip.");
        }
        finally
        {
            await reader.CompleteAsync();
        }
    }

    // The limit is that of the body as it is read here: a few bytes can be the gzip of gigabytes.
    private static async Task<CallbackRequest> ReadAsync(
        PipeReader reader,
        ObjectStatusOptions options,
        CancellationToken cancellationToken
    )
    {
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            var tooLong = read.Buffer.Length > options.MaxBodyBytes;
            if (!tooLong && !read.IsCompleted)
            {
                reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }

            var result = tooLong ? TooLong(options) : Parse(read.Buffer, options.MaxIds);
            reader.AdvanceTo(read.Buffer.End);
            return result;
        }
    }

    /// <summary>Reads a body.</summary>
    public static CallbackRequest Parse(ReadOnlySequence<byte> body, int maximumIds)
    {
        try
        {
            using var document = IncomingJson.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? Read(document.RootElement, maximumIds)
                : BadRequest($$"""The body must be a JSON object such as {"{{ListName}}":[1,2,3]}.""");
        }
        catch (InvalidMessageException invalid)
        {
            return BadRequest(invalid.Message);
        }
        catch (InvalidOperationException)
        {
            return BadRequest($"'{ListName}' must hold valid Unicode text only.");
        }
    }

    private static CallbackRequest Read(JsonElement body, int maximumIds)
    {
        if (!body.TryGetProperty(ListName, out var list) || list.ValueKind != JsonValueKind.Array)
            return BadRequest($"The body has no list '{ListName}'.");
        if (list.GetArrayLength() > maximumIds)
        {
            return new(
                [],
                StatusCodes.Status413PayloadTooLarge,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"'{ListName}' has {list.GetArrayLength():N0} ids; at most {maximumIds:N0} are accepted at once."
                )
            );
        }

        var ids = new HashSet<string>(list.GetArrayLength(), StringComparer.Ordinal);
        foreach (var element in list.EnumerateArray())
        {
            var id = Text(element)?.Trim();
            if (id is null)
                return BadRequest($"'{ListName}' must hold whole numbers and texts only.");
            if (Identifiers.Problem(id) is { } problem)
                return BadRequest($"An id in '{ListName}' {problem}.");
            ids.Add(id);
        }

        return new(ids);
    }

    private static string? Text(JsonElement element) =>
        element.ValueKind switch
        {
            JsonValueKind.String => element.GetString(),
            JsonValueKind.Number when element.GetRawText() is var digits && digits.AsSpan().IndexOfAny(".eE") < 0 => digits,
            _ => null,
        };

    private static CallbackRequest BadRequest(string problem) => new([], StatusCodes.Status400BadRequest, problem);

    private static CallbackRequest TooLong(ObjectStatusOptions options) =>
        new(
            [],
            StatusCodes.Status413PayloadTooLarge,
            string.Create(CultureInfo.InvariantCulture, $"The body is longer than the {options.MaxBodyBytes:N0} bytes accepted.")
        );
}
