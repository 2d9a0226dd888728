using Sagas.Services.Http;

namespace Sagas.Services.Ledger;

/// <summary>What came of one request.</summary>
/// <param name="Verdict">What it means for its call; of several calls, for the one that asks for the longest pause.</param>
/// <param name="Health">How well the target did.</param>
internal sealed record CallResult(LedgerVerdict Verdict, CallHealth Health)
{
    /// <summary>What it means for each of several calls; null: there is one.</summary>
    public IReadOnlyList<LedgerVerdict>? Each { get; init; }

    /// <summary>It was refused for coming too often, and not for trouble of the target's.</summary>
    public bool Rate { get; init; }
}

/// <summary>Sends a call over HTTP and says what came of it, whatever happens.</summary>
internal sealed class LedgerCaller(LedgerTarget target, IHttpClientFactory clients, TimeProvider time)
{
    private const int MaxBody = 64 * 1024;

    // What the answer to a request for many calls may have besides, for each of them.
    private const int MaxBodyOfEach = 2 * 1024;

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

    /// <summary>Makes several calls by one request, none of which needs to be looked up.</summary>
    /// <exception cref="OperationCanceledException">Cancelled by the caller; every other failure is a result.</exception>
    public ValueTask<CallResult> CallAsync(IReadOnlyList<LedgerCall> calls, CancellationToken cancellation) => calls is [var single]
        ? CallAsync(single, cancellation)
        : SendAsync(() => target.CreateBatchRequest(calls), answer => JudgeEach(calls, answer), false, MaxBody + (MaxBodyOfEach * calls.Count), cancellation);

    private ValueTask<CallResult> SendAsync(LedgerCall call, bool lookup, CancellationToken cancellation) => SendAsync(
        () => lookup ? target.CreateLookup(call) : target.CreateRequest(call),
        answer =>
        {
            var verdict = lookup ? AnswerReader.JudgeLookup(target, call, answer) : AnswerReader.Judge(target, call, answer);
            return new(verdict, AnswerReader.Health(answer, verdict)) { Rate = answer.Code == 429 };
        },
        lookup,
        MaxBody,
        cancellation);

    private CallResult JudgeEach(IReadOnlyList<LedgerCall> calls, LedgerAnswer answer)
    {
        var answers = answer is { Code: >= 200 and < 300, Complete: true } ? AnswerReader.Split(target, calls, answer) : [.. calls.Select(_ => answer)];
        var verdicts = calls.Zip(answers, (call, own) => AnswerReader.Judge(target, call, own)).ToArray();
        // The worst that most of them met: one customer's trouble is not the target's.
        var healths = answers.Zip(verdicts, AnswerReader.Health).Order().ToArray();
        return new(verdicts.MaxBy(verdict => verdict.After ?? TimeSpan.Zero)!, healths[healths.Length / 2]) { Each = verdicts };
    }

    private async ValueTask<CallResult> SendAsync(
        Func<HttpRequestMessage> create, Func<LedgerAnswer, CallResult> judge, bool lookup, int maxBody, CancellationToken cancellation)
    {
        HttpRequestMessage request;
        try
        {
            request = create();
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
                var answer = await ReadAsync(response, maxBody, both.Token);
                cancellation.ThrowIfCancellationRequested();
                return judge(answer);
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

    private async Task<LedgerAnswer> ReadAsync(HttpResponseMessage response, int maxBody, CancellationToken cancellation)
    {
        var retryAfter = RetryDelay.Asked(response.Headers, target.Options, time);
        using var body = new MemoryStream();
        var complete = false;
        try
        {
            await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
            var buffer = new byte[4096];
            int read;
            while (body.Length <= maxBody && (read = await stream.ReadAsync(buffer, cancellation)) > 0)
                body.Write(buffer, 0, read);
            complete = body.Length <= maxBody;
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException)
        {
            // The status is known; what the missing rest means depends on it.
        }

        return new(response.StatusCode, body.GetBuffer().AsMemory(0, (int)Math.Min(body.Length, maxBody)), complete, retryAfter);
    }
}
