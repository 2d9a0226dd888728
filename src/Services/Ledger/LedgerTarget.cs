namespace Sagas.Services.Ledger;

/// <summary>What is particular to one third party; the ledger does the rest.</summary>
public abstract class LedgerTarget
{
    /// <summary>The target's name in the ledger, in metrics and of its HTTP client.</summary>
    public abstract string Name { get; }

    /// <summary>How an unknown outcome of a new call is resolved.</summary>
    public abstract LedgerMode Mode { get; }

    /// <summary>How calls are made.</summary>
    public abstract LedgerOptions Options { get; }

    /// <summary>Most calls that one request to the target carries; 1: a request is one call.</summary>
    public virtual int BatchSize => 1;

    /// <summary>What all processes together may call; null: nothing is agreed between processes, each adapts by itself.</summary>
    public virtual CallLimit? Limit => null;

    /// <summary>Whether a success without its whole body is no proof of success.</summary>
    public virtual bool NeedsWholeAnswer => true;

    /// <summary>Sets up the connections to the target, for what is particular to it.</summary>
    /// <param name="handler">The handler, set up as for every target.</param>
    public virtual void Configure(SocketsHttpHandler handler)
    {
    }

    /// <summary>Builds the request, the same each time for the same call. An exception parks the call.</summary>
    /// <param name="call">The call; its key is to be sent in mode <see cref="LedgerMode.IdempotencyKey"/>.</param>
    public abstract HttpRequestMessage CreateRequest(LedgerCall call);

    /// <summary>Builds one request for several calls, each with its own key. Only asked for where <see cref="BatchSize"/> is
    /// above 1. An exception parks the calls.</summary>
    /// <param name="calls">The calls; at least two.</param>
    /// <exception cref="NotSupportedException">The target takes one call at a time.</exception>
    public virtual HttpRequestMessage CreateBatchRequest(IReadOnlyList<LedgerCall> calls) =>
        throw new NotSupportedException($"{Name} takes one call at a time.");

    /// <summary>Takes a complete answer of success (2xx) to several calls apart.</summary>
    /// <param name="calls">The calls.</param>
    /// <param name="answer">The answer to all of them.</param>
    /// <returns>Each call's own answer, in the calls' order; <paramref name="answer"/> itself where it says nothing of a call.</returns>
    public virtual IReadOnlyList<LedgerAnswer> SplitAnswer(IReadOnlyList<LedgerCall> calls, LedgerAnswer answer) =>
        [.. calls.Select(_ => answer)];

    /// <summary>Reads a complete answer of success (2xx). An answer that does not prove success, or an exception, is
    /// <see cref="LedgerVerdict.Unknown"/>.</summary>
    /// <param name="call">The call.</param>
    /// <param name="answer">The answer.</param>
    public abstract LedgerVerdict ReadSuccess(LedgerCall call, LedgerAnswer answer);

    /// <summary>Reads a complete refusal: a 4xx other than 408, 425 and 429.</summary>
    /// <param name="call">The call.</param>
    /// <param name="answer">The answer.</param>
    public abstract LedgerVerdict ReadRefusal(LedgerCall call, LedgerAnswer answer);

    /// <summary>Whether an answer that asks to try again (408, 425, 429, 5xx) proves that the attempt had no effect. By
    /// itself: 425, 429, 501, 505 and 511, which a server sends instead of doing, and a 503 with <c>Retry-After</c>,
    /// which is a server's own refusal. A bare 503, 502, 504 or 408 may come from a proxy that lost the server after it
    /// had passed the request on, and a 500 from a server that failed half-way.</summary>
    /// <param name="answer">The answer.</param>
    public virtual bool ProvesNothingHappened(LedgerAnswer answer) => answer.Code switch
    {
        425 or 429 or 501 or 505 or 511 => true,
        503 => answer.RetryAfter is not null,
        _ => false,
    };

    /// <summary>In mode <see cref="LedgerMode.Lookup"/>: builds the question whether the call happened.</summary>
    /// <param name="call">The call.</param>
    /// <exception cref="NotSupportedException">The target cannot be asked.</exception>
    public virtual HttpRequestMessage CreateLookup(LedgerCall call) =>
        throw new NotSupportedException($"{Name} cannot be asked whether a call happened.");

    /// <summary>Reads a complete answer to <see cref="CreateLookup"/>, 2xx or final 4xx:
    /// <see cref="LedgerVerdict.NothingHappened"/> has the call made.</summary>
    /// <param name="call">The call.</param>
    /// <param name="answer">The answer.</param>
    public virtual LedgerVerdict ReadLookup(LedgerCall call, LedgerAnswer answer) =>
        LedgerVerdict.Unknown($"{answer.Code} to the lookup");

    /// <summary>Does what follows from calls that have ended, in the transaction that writes their outcomes: all of it is
    /// committed together, or tried again together.</summary>
    /// <param name="database">The context, in that transaction.</param>
    /// <param name="ended">The calls that ended, each once.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <returns>Whether calls were entered that are due.</returns>
    public virtual Task<bool> ApplyAsync(SagasDbContext database, IReadOnlyList<LedgerEnded> ended, CancellationToken cancellation) =>
        Task.FromResult(false);
}

/// <summary>A call that has ended.</summary>
/// <param name="Call">The call.</param>
/// <param name="End">How it ended.</param>
/// <param name="Outcome">What came of its last attempt, for people and without personal data.</param>
public sealed record LedgerEnded(LedgerCall Call, LedgerEnd End, string Outcome);

/// <summary>How a call ended.</summary>
public enum LedgerEnd
{
    /// <summary>It had its effect.</summary>
    Done,

    /// <summary>The target refused it for good.</summary>
    Failed,

    /// <summary>It was given up, or only a person can say what came of it.</summary>
    Parked,
}
