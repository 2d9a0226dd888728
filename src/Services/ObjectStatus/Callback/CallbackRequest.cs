using System.Buffers;
using System.Globalization;
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
        while (true)
        {
            var read = await request.BodyReader.ReadAsync(cancellationToken);
            var tooLong = read.Buffer.Length > options.MaxBodyBytes;
            if (!tooLong && !read.IsCompleted)
            {
                request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }

            var result = tooLong ? TooLong(options) : Parse(read.Buffer, options.MaxIds);
            request.BodyReader.AdvanceTo(read.Buffer.End);
            return result;
        }
    }

    /// <summary>Reads a body.</summary>
    public static CallbackRequest Parse(ReadOnlySequence<byte> body, int maximumIds)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? Read(document.RootElement, maximumIds)
                : BadRequest($$"""The body must be a JSON object such as {"{{ListName}}":[1,2,3]}.""");
        }
        // InvalidOperationException: text with an unpaired surrogate.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return BadRequest("The body is not JSON.");
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
