using Microsoft.EntityFrameworkCore;
using Sagas.Persistence;

namespace Sagas.OutboundCalls;

/// <summary>What is particular to one third party.</summary>
public abstract class CallTarget
{
    /// <summary>The target's name in <c>outbound_call</c>, in metrics and of its HTTP client.</summary>
    public abstract string Name { get; }

    /// <summary>How an unknown outcome of a new call is resolved.</summary>
    public abstract CallMode Mode { get; }

    /// <summary>How calls are made.</summary>
    public abstract OutboundCallOptions Options { get; }

    /// <summary>When calls are retried.</summary>
    public abstract RetryPolicy Retry { get; }

    /// <summary>In mode <see cref="CallMode.Lookup"/>: how long after an unknown outcome the target is asked at the earliest,
    /// so that a call that it is still working on is not taken for one that was not executed.</summary>
    public virtual TimeSpan LookupDelay => TimeSpan.Zero;

    /// <summary>Most calls that one request to the target carries; 1: a request is one call.</summary>
    public virtual int BatchSize => 1;

    /// <summary>What all processes together may call; null: each process adapts by itself.</summary>
    public virtual CallRateLimit? Limit => null;

    /// <summary>Whether a success with an incomplete body does not prove success.</summary>
    public virtual bool NeedsCompleteBody => true;

    /// <summary>Enqueues calls with the commit of the consumes that ask for them.</summary>
    internal CommitStatement<NewCall> Enqueue => field ??= new(calls => CallQueue.EnqueueCommand(Name, Mode, calls));

    /// <summary>Sets up the connections to the target, for what is particular to it.</summary>
    /// <param name="handler">The handler, set up as for every target.</param>
    public virtual void Configure(SocketsHttpHandler handler) { }

    /// <summary>Builds the request, the same each time for the same call. An exception parks the call.</summary>
    /// <param name="call">The call; its key is to be sent in mode <see cref="CallMode.IdempotencyKey"/>.</param>
    public abstract HttpRequestMessage CreateRequest(OutboundCall call);

    /// <summary>Builds one request for several calls, each with its own key. Used only where <see cref="BatchSize"/> is above
    /// 1. An exception parks the calls.</summary>
    /// <param name="calls">The calls; at least two.</param>
    /// <exception cref="NotSupportedException">The target takes one call at a time.</exception>
    public virtual HttpRequestMessage CreateBatchRequest(IReadOnlyList<OutboundCall> calls) =>
        throw new NotSupportedException($"{Name} takes one call at a time.");

    /// <summary>Splits a complete response of success (2xx) to several calls.</summary>
    /// <param name="calls">The calls.</param>
    /// <param name="response">The response to all of them.</param>
    /// <returns>Each call's own response, in the calls' order; <paramref name="response"/> itself where it says nothing about a
    /// call.</returns>
    public virtual IReadOnlyList<CallResponse> SplitResponse(IReadOnlyList<OutboundCall> calls, CallResponse response) =>
        [.. calls.Select(_ => response)];

    /// <summary>Reads a complete response of success (2xx). One that does not prove success, or an exception, is
    /// <see cref="CallOutcome.Unknown"/>.</summary>
    /// <param name="call">The call.</param>
    /// <param name="response">The response.</param>
    public abstract CallOutcome ReadSuccess(OutboundCall call, CallResponse response);

    /// <summary>Reads a complete rejection: a 4xx other than 408, 425, 429 and those of
    /// <see cref="OutboundCallOptions.RetryableStatuses"/>.</summary>
    /// <param name="call">The call.</param>
    /// <param name="response">The response.</param>
    public abstract CallOutcome ReadRejection(OutboundCall call, CallResponse response);

    /// <summary>Whether a response that asks for a retry (408, 425, 429, 5xx) proves that the attempt had no effect. By default:
    /// 425, 429, 501, 505 and 511, which a server sends instead of executing, and 503 with <c>Retry-After</c>, which comes from
    /// the server itself. A bare 503, 502, 504 or 408 may come from a proxy that lost the server after it passed the request on,
    /// and a 500 from a server that failed half-way.</summary>
    /// <param name="response">The response.</param>
    public virtual bool ProvesNotExecuted(CallResponse response) =>
        response.Code switch
        {
            425 or 429 or 501 or 505 or 511 => true,
            503 => response.RetryAfter is not null,
            _ => false,
        };

    /// <summary>In mode <see cref="CallMode.Lookup"/>: builds the question whether the call was executed.</summary>
    /// <param name="call">The call.</param>
    /// <exception cref="NotSupportedException">The target cannot be asked.</exception>
    public virtual HttpRequestMessage CreateLookup(OutboundCall call) =>
        throw new NotSupportedException($"{Name} does not support looking up whether a call was executed.");

    /// <summary>Reads a complete response to <see cref="CreateLookup"/>, 2xx or final 4xx:
    /// <see cref="CallOutcome.Retryable"/> has the call made.</summary>
    /// <param name="call">The call.</param>
    /// <param name="response">The response.</param>
    public virtual CallOutcome ReadLookup(OutboundCall call, CallResponse response) =>
        CallOutcome.Unknown($"{response.Code} to the lookup");

    /// <summary>Applies what follows from completed calls, in the transaction that writes their outcomes: all of it is committed
    /// together, or retried together.</summary>
    /// <param name="database">The context, in that transaction.</param>
    /// <param name="completed">The calls, each once.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>Whether calls were enqueued that are due.</returns>
    public virtual Task<bool> ApplyAsync(
        DbContext database,
        IReadOnlyList<CompletedCall> completed,
        CancellationToken cancellationToken
    ) => Task.FromResult(false);
}
