using System.Buffers;
using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Sagas.OutboundCalls;

namespace Sagas.Services.ObjectStatus.Fetch;

/// <summary>One call to the status API: <c>GET {StatusApi}/objects/{id}</c>.</summary>
internal sealed class StatusApi(IHttpClientFactory clients, IOptions<ObjectStatusOptions> options, TimeProvider timeProvider)
{
    /// <summary>Name of the HTTP client.</summary>
    public const string Client = "object-status";

    private const int MaxAnswerBytes = 64 * 1024;

    private static readonly TimeSpan _maxRetryAfter = TimeSpan.FromMinutes(1);

    private static readonly UriCreationOptions _asWritten = new() { DangerousDisablePathAndQueryCanonicalization = true };

    // An answer that says twice whether the object is online does not say it.
    private static readonly JsonDocumentOptions _json = new() { AllowDuplicateProperties = false };

    private readonly HttpClient _client = clients.CreateClient(Client);
    private readonly string _objects = options.Value.StatusApi.TrimEnd('/') + "/objects/";

    /// <summary>Makes one call.</summary>
    /// <param name="id">The object.</param>
    /// <returns>The answer; every failure of the call is one too.</returns>
    public async Task<StatusAnswer> GetAsync(string id)
    {
        using var timeout = new CancellationTokenSource(options.Value.AttemptTimeout, timeProvider);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, Address(id));
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, timeout.Token);
            return response.StatusCode == HttpStatusCode.OK ? await ReadAsync(id, response, timeout.Token) : Judge(response);
        }
        catch (OperationCanceledException)
        {
            return Failed($"no answer within {options.Value.AttemptTimeout.TotalSeconds:0.###} s");
        }
        catch (Exception exception)
            when (exception is HttpRequestException or IOException or JsonException or InvalidOperationException)
        {
            return Failed(exception.GetBaseException().Message);
        }
    }

    // Sent as written: a dot in an id must not act as a path segment.
    private Uri Address(string id) => new(_objects + Uri.EscapeDataString(id), _asWritten);

    private async Task<StatusAnswer> ReadAsync(string id, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(MaxAnswerBytes);
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            var length = await body.ReadAtLeastAsync(buffer, MaxAnswerBytes, throwOnEndOfStream: false, cancellationToken);
            if (length == MaxAnswerBytes)
                return Failed("the answer is too long");
            return Read(id, buffer.AsMemory(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private StatusAnswer Read(string id, ReadOnlyMemory<byte> body)
    {
        using var document = JsonDocument.Parse(body, _json);
        var answer = document.RootElement;
        if (
            answer.ValueKind != JsonValueKind.Object
            || !answer.TryGetProperty("online", out var online)
            || online.ValueKind is not (JsonValueKind.True or JsonValueKind.False)
        )
            return Failed("the answer does not say whether the object is online");
        if (
            answer.TryGetProperty("id", out var named)
            && (named.ValueKind == JsonValueKind.String ? named.GetString() : named.GetRawText()) != id
        )
            return Failed("the answer is about another object");
        return new(online.GetBoolean() ? StatusKind.Online : StatusKind.Offline, timeProvider.GetUtcNow());
    }

    private StatusAnswer Judge(HttpResponseMessage response)
    {
        var code = (int)response.StatusCode;
        return code switch
        {
            // Not known is not online.
            404 or 410 => new(StatusKind.Offline, timeProvider.GetUtcNow()),
            // A key that is wrong or was withdrawn is not about this object, and will be put right.
            401 or 403 or 407 or 408 or 425 or 429 => Failed($"the status API answered {code}", RetryAfterOf(response)),
            >= 400 and < 500 => new(StatusKind.Rejected, timeProvider.GetUtcNow(), $"the status API answered {code}"),
            _ => Failed($"the status API answered {code}", RetryAfterOf(response)),
        };
    }

    private TimeSpan? RetryAfterOf(HttpResponseMessage response) =>
        RetryAfter.Read(response.Headers, _maxRetryAfter, timeProvider);

    private StatusAnswer Failed(string reason, TimeSpan? retryAfter = null) =>
        new(StatusKind.Failed, timeProvider.GetUtcNow(), reason, retryAfter);
}
