namespace Sagas.OutboundCalls;

/// <summary>Sends calls over HTTP. Every failure is an outcome.</summary>
internal sealed class CallSender(CallTarget target, IHttpClientFactory clients, TimeProvider timeProvider)
{
    private const int MaxBodyBytes = 64 * 1024;

    // Added for each call of a request for many.
    private const int MaxBodyBytesPerCall = 2 * 1024;

    /// <summary>Makes the call; in mode <see cref="CallMode.Lookup"/> asks first where the outcome of an earlier attempt is
    /// unknown.</summary>
    /// <exception cref="OperationCanceledException">Cancelled by the caller; every other failure is a result.</exception>
    public async ValueTask<CallResult> CallAsync(OutboundCall call, CancellationToken cancellationToken)
    {
        if (call is { Mode: CallMode.Lookup, OutcomeUnknown: true })
        {
            var looked = await SendAsync(call, lookup: true, cancellationToken);
            if (looked.Outcome.Kind != CallOutcomeKind.Retryable)
                return looked;
            call = call with { OutcomeUnknown = false };
        }

        return await SendAsync(call, lookup: false, cancellationToken);
    }

    /// <summary>Makes several calls by one request, none of which needs to be looked up.</summary>
    /// <exception cref="OperationCanceledException">Cancelled by the caller; every other failure is a result.</exception>
    public ValueTask<CallResult> CallAsync(IReadOnlyList<OutboundCall> calls, CancellationToken cancellationToken) =>
        calls is [var single]
            ? CallAsync(single, cancellationToken)
            : SendAsync(
                () => target.CreateBatchRequest(calls),
                response => ClassifyEach(calls, response),
                false,
                MaxBodyBytes + (MaxBodyBytesPerCall * calls.Count),
                cancellationToken
            );

    private ValueTask<CallResult> SendAsync(OutboundCall call, bool lookup, CancellationToken cancellationToken) =>
        SendAsync(
            () => lookup ? target.CreateLookup(call) : target.CreateRequest(call),
            response =>
            {
                var outcome = lookup
                    ? ResponseClassifier.ClassifyLookup(target, call, response)
                    : ResponseClassifier.Classify(target, call, response);
                return new(outcome, ResponseClassifier.Health(response, outcome)) { IsRate = response.Code == 429 };
            },
            lookup,
            MaxBodyBytes,
            cancellationToken
        );

    private CallResult ClassifyEach(IReadOnlyList<OutboundCall> calls, CallResponse response)
    {
        var responses = response is { Code: >= 200 and < 300, Complete: true }
            ? ResponseClassifier.Split(target, calls, response)
            : [.. calls.Select(_ => response)];
        var outcomes = calls.Zip(responses, (call, own) => ResponseClassifier.Classify(target, call, own)).ToArray();
        // The median: one customer's trouble is not the target's.
        var healths = responses.Zip(outcomes, ResponseClassifier.Health).Order().ToArray();
        var slowest = outcomes.MaxBy(outcome => outcome.RetryAfter ?? TimeSpan.Zero)!;
        return new(slowest, healths[healths.Length / 2]) { Each = outcomes };
    }

    private async ValueTask<CallResult> SendAsync(
        Func<HttpRequestMessage> create,
        Func<CallResponse, CallResult> classify,
        bool lookup,
        int maxBodyBytes,
        CancellationToken cancellationToken
    )
    {
        HttpRequestMessage request;
        try
        {
            request = create();
        }
#pragma warning disable CA1031 // A row that cannot be turned into a request never will be: an operator has to see it.
        catch (Exception exception) when (exception is not OperationCanceledException)
#pragma warning restore CA1031
        {
            var reason = $"the row cannot be turned into a request ({exception.GetType().Name})";
            return new(CallOutcome.Parked(reason), CallHealth.Healthy);
        }

        using (request)
        using (var timeout = new CancellationTokenSource(target.Options.CallTimeout, timeProvider))
        using (var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken))
        {
            try
            {
                var client = clients.CreateClient(target.Name);
                using var message = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token);
                var response = await ReadAsync(message, maxBodyBytes, both.Token);
                cancellationToken.ThrowIfCancellationRequested();
                return classify(response);
            }
            catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
            {
                return NoAnswer(lookup, exception, timeout.IsCancellationRequested);
            }
#pragma warning disable CA1031 // The row has been claimed, so whatever sending throws it needs an outcome.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                cancellationToken.ThrowIfCancellationRequested();
                return NoAnswer(lookup, exception, timedOut: false);
            }
        }
    }

    private static CallResult NoAnswer(bool lookup, Exception exception, bool timedOut)
    {
        var notSent = exception switch
        {
            HttpRequestException failed => failed.HttpRequestError
                is HttpRequestError.ConnectionError
                    or HttpRequestError.NameResolutionError
                    or HttpRequestError.SecureConnectionError
                    or HttpRequestError.ProxyTunnelError,
            // The handler's own timeout for connecting; ours covers the whole call and proves nothing.
            OperationCanceledException { InnerException: TimeoutException } => !timedOut,
            _ => false,
        };
        var outcome =
            notSent && !lookup
                ? CallOutcome.Retryable((exception.InnerException as AddressNotAllowedException)?.Message ?? "no connection")
                : CallOutcome.Unknown(
                    timedOut ? "timeout"
                    : notSent ? "no connection"
                    : "connection lost"
                );
        return new(outcome, CallHealth.Failed);
    }

    private async Task<CallResponse> ReadAsync(
        HttpResponseMessage response,
        int maxBodyBytes,
        CancellationToken cancellationToken
    )
    {
        var retryAfter = RetryAfter.Read(response.Headers, target.Options.MaxRetryAfter, timeProvider);
        using var body = new MemoryStream();
        var complete = false;
        try
        {
            await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
            var buffer = new byte[4096];
            int read;
            while (body.Length <= maxBodyBytes && (read = await stream.ReadAsync(buffer, cancellationToken)) > 0)
                body.Write(buffer, 0, read);
            complete = body.Length <= maxBodyBytes;
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException)
        {
            // The status is known; what the missing rest means depends on it.
        }

        var length = (int)Math.Min(body.Length, maxBodyBytes);
        return new(response.StatusCode, body.GetBuffer().AsMemory(0, length), complete, retryAfter);
    }
}
