using Sagas.Services.Http;

namespace Sagas.Services.Ledger;

/// <summary>What came of sending one call.</summary>
internal sealed record CallResult(LedgerVerdict Verdict, CallHealth Health)
{
    /// <summary>It was refused for coming too often, and not for trouble of the target's.</summary>
    public bool Rate { get; init; }
}

/// <summary>Sends a call over HTTP and says what came of it, whatever happens.</summary>
internal sealed class LedgerCaller(LedgerTarget target, IHttpClientFactory clients, TimeProvider time)
{
    private const int MaxBody = 64 * 1024;

    /// <summary>Makes the call; in mode <see cref="LedgerMode.Lookup"/> asks first where an earlier attempt may have
    /// had its effect.</summary>
    /// <exception cref="OperationCanceledException">Cancelled by the caller; every other failure is a result.</exception>
    public async ValueTask<CallResult> CallAsync(LedgerCall call, CancellationToken cancellation)
    {
        if (call is { Mode: LedgerMode.Lookup, MayHaveHappened: true })
        {
            var looked = await SendAsync(call, lookup: true, cancellation);
            if (looked.Verdict.Kind != LedgerVerdictKind.NothingHappened)
                return looked;
            call = call with { MayHaveHappened = false };
        }

        return await SendAsync(call, lookup: false, cancellation);
    }

    private async ValueTask<CallResult> SendAsync(LedgerCall call, bool lookup, CancellationToken cancellation)
    {
        HttpRequestMessage request;
        try
        {
            request = lookup ? target.CreateLookup(call) : target.CreateRequest(call);
        }
#pragma warning disable CA1031 // A row that cannot be turned into a request never will be: a person has to see it.
        catch (Exception exception) when (exception is not OperationCanceledException)
#pragma warning restore CA1031
        {
            return new(LedgerVerdict.Parked($"no request can be made of the row ({exception.GetType().Name})"), CallHealth.Good);
        }

        using (request)
        using (var timeout = new CancellationTokenSource(target.Options.CallTimeout, time))
        using (var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation))
        {
            try
            {
                var client = clients.CreateClient(target.Name);
                using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token);
                var answer = await ReadAsync(response, both.Token);
                cancellation.ThrowIfCancellationRequested();
                var verdict = lookup ? AnswerReader.JudgeLookup(target, call, answer) : AnswerReader.Judge(target, call, answer);
                return new(verdict, AnswerReader.Health(answer, verdict)) { Rate = answer.Code == 429 };
            }
            catch (OperationCanceledException exception) when (!cancellation.IsCancellationRequested)
            {
                return NoAnswer(lookup, exception, timeout.IsCancellationRequested);
            }
#pragma warning disable CA1031 // Whatever sending stumbles over, the row has been claimed and needs an outcome.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                cancellation.ThrowIfCancellationRequested();
                return NoAnswer(lookup, exception, timedOut: false);
            }
        }
    }

    private static CallResult NoAnswer(bool lookup, Exception exception, bool timedOut)
    {
        var notSent = exception switch
        {
            HttpRequestException failed => failed.HttpRequestError is HttpRequestError.ConnectionError
                or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError
                or HttpRequestError.ProxyTunnelError,
            // The handler's own time limit for connecting; ours covers the whole call and proves nothing.
            OperationCanceledException { InnerException: TimeoutException } => !timedOut,
            _ => false,
        };
        var verdict = notSent && !lookup
            ? LedgerVerdict.NothingHappened(exception.InnerException is AddressRefusedException refused ? refused.Message : "no connection")
            : LedgerVerdict.Unknown(timedOut ? "no answer in time" : notSent ? "no connection" : "connection lost");
        return new(verdict, CallHealth.Failed);
    }

    private async Task<LedgerAnswer> ReadAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var retryAfter = RetryDelay.Asked(response.Headers, target.Options, time);
        using var body = new MemoryStream();
        var complete = false;
        try
        {
            await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
            var buffer = new byte[4096];
            int read;
            while (body.Length <= MaxBody && (read = await stream.ReadAsync(buffer, cancellation)) > 0)
                body.Write(buffer, 0, read);
            complete = body.Length <= MaxBody;
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException)
        {
            // The status is known; what the missing rest means depends on it.
        }

        return new(response.StatusCode, body.GetBuffer().AsMemory(0, (int)Math.Min(body.Length, MaxBody)), complete, retryAfter);
    }
}
