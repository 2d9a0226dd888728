using System.Text;
using Sagas.Simulators.Faults;
using Sagas.Simulators.Records;

namespace Sagas.Simulators.PaymentGateway;

/// <summary>Counts of what the gateway received and did.</summary>
/// <param name="Requests">All <c>POST /payments</c>.</param>
/// <param name="Effects">Payments captured.</param>
/// <param name="Replays">Requests answered with an earlier result.</param>
/// <param name="Declines">New payments declined.</param>
/// <param name="Rejected">Requests that were not a payment, or used a key for another payment.</param>
/// <param name="Faults">Requests that met a fault.</param>
/// <param name="DuplicateEffects">Captures under a key that had one: always 0.</param>
/// <param name="DuplicatePayments">Captures of a payment that was captured under another key: the caller's mistake.</param>
internal sealed record PaymentSummary(
    long Requests,
    long Effects,
    long Replays,
    long Declines,
    long Rejected,
    long Faults,
    long DuplicateEffects,
    long DuplicatePayments
);

/// <summary>
/// What the gateway knows: the result under each key, and a record of every request. One lock guards all of it: a
/// request's result and its record are one step, and requests with the same key come one after the other.
/// </summary>
internal sealed class PaymentBooks : IDisposable
{
    private readonly Lock _gate = new();
    private readonly GatewayOptions _options;
    private readonly RecordFile? _file;
    private readonly Dictionary<string, Settled> _settled = [];
    private readonly HashSet<string> _capturedPayments = [];
    private RecordList<GatewayRecord> _records = new();
    private PaymentSummary _summary = new(0, 0, 0, 0, 0, 0, 0, 0);
    private long _lastSequence;

    /// <summary>Opens the books, with what the record file holds.</summary>
    /// <exception cref="IOException">The record file cannot be read.</exception>
    public PaymentBooks(GatewayOptions options)
    {
        _options = options;
        if (options.RecordFile is not { Length: > 0 } path)
            return;
        _file = new RecordFile(path);
        _file.Load(saved => Keep(RecordReader.Read(saved, key => _settled.GetValueOrDefault(key))));
    }

    /// <summary>
    /// Carries a request out, unless <paramref name="visit"/> rejects it, and records it with the answer it will get.
    /// </summary>
    /// <returns>The answer to send.</returns>
    /// <exception cref="IOException">The record file could not be written; nothing was done.</exception>
    public Answer Take(PaymentRequest request, FaultVisit visit)
    {
        lock (_gate)
        {
            var sequence = _lastSequence + 1;
            var (outcome, result, answer) = visit.Rejection() is { } rejection
                ? (Outcome.Unavailable, null, rejection)
                : Decide(request, sequence);
            if (outcome != Outcome.Unavailable)
                answer = visit.Alter(answer);
            var status = answer.Ending == Ending.Nothing ? 0 : answer.Status;
            var received = Same(request.Received, result ?? Find(request.Received.Key));
            var record = new GatewayRecord(sequence, request.At, received, result, outcome, visit.Fault, (short)status);
            // To the file before memory: what is not on file has not happened.
            _file?.Append(record.WriteTo);
            Keep(record);
            return answer;
        }
    }

    public PaymentSummary Summary()
    {
        lock (_gate)
            return _summary;
    }

    public IEnumerable<GatewayRecord> Records()
    {
        lock (_gate)
            return _records.Snapshot();
    }

    public void Clear()
    {
        lock (_gate)
        {
            _file?.Clear();
            _settled.Clear();
            _capturedPayments.Clear();
            _records = new RecordList<GatewayRecord>();
            _summary = new PaymentSummary(0, 0, 0, 0, 0, 0, 0, 0);
        }
    }

    public void Dispose() => _file?.Dispose();

    private Settled? Find(string? key) => key is null ? null : _settled.GetValueOrDefault(key);

    private static Received Same(Received received, Received? earlier) =>
        earlier is not null && received.IsJson && received.Body.AsSpan().SequenceEqual(earlier.Body) ? earlier : received;

    private (Outcome, Settled?, Answer) Decide(PaymentRequest request, long sequence)
    {
        if (request.Mistake is { } mistake)
            return (Outcome.Invalid, null, mistake);
        var payment = request.Payment!;
        if (Find(request.Received.Key) is { } earlier)
        {
            return Payment.Read(earlier.Body).Payment == payment
                ? (Outcome.Replayed, earlier, ResultOf(earlier, 200) with { IsReplay = true })
                : (
                    Outcome.KeyReused,
                    null,
                    Answer.Problem(422, "Idempotency key reused", "The key was used for another payment.")
                );
        }

        var result = new Settled(request.Received, sequence, ReasonToDecline(payment));
        return (result.DeclineReason is null ? Outcome.Captured : Outcome.Declined, result, ResultOf(result, 201));
    }

    private string? ReasonToDecline(Payment payment)
    {
        if (payment.Amount % 1 == 0.13m)
            return "insufficient funds";
        return Random.Shared.NextDouble() < _options.DeclineRate ? "declined by the card issuer" : null;
    }

    private static Answer ResultOf(Settled result, int captured) =>
        result.DeclineReason is { } reason
            ? Answer.Json(402, Encoding.UTF8.GetBytes($$"""{"status":"declined","reason":"{{reason}}"}"""))
            : Answer.Json(captured, Encoding.UTF8.GetBytes($$"""{"reference":"{{result.Reference}}","status":"captured"}"""));

    private void Keep(in GatewayRecord record)
    {
        _lastSequence = record.Sequence;
        _records.Add(record);
        var faulty = record.Fault == Fault.None ? 0 : 1;
        _summary = _summary with { Requests = _summary.Requests + 1, Faults = _summary.Faults + faulty };
        switch (record.Outcome)
        {
            case Outcome.Captured:
                KeepCapture(record.Settled!);
                break;
            case Outcome.Declined:
                _settled[record.Settled!.Key!] = record.Settled;
                _summary = _summary with { Declines = _summary.Declines + 1 };
                break;
            case Outcome.Replayed:
                _summary = _summary with { Replays = _summary.Replays + 1 };
                break;
            case Outcome.KeyReused or Outcome.Invalid:
                _summary = _summary with { Rejected = _summary.Rejected + 1 };
                break;
        }
    }

    /// <summary>Counts duplicates from the record itself, not from the decision that should have made them impossible.</summary>
    private void KeepCapture(Settled capture)
    {
        var keyHadOne = _settled.TryGetValue(capture.Key!, out var earlier) && earlier.DeclineReason is null;
        var paymentHadOne = !_capturedPayments.Add(Payment.Read(capture.Body).Payment!.PaymentId!);
        _settled[capture.Key!] = capture;
        _summary = _summary with
        {
            Effects = _summary.Effects + 1,
            DuplicateEffects = _summary.DuplicateEffects + (keyHadOne ? 1 : 0),
            DuplicatePayments = _summary.DuplicatePayments + (paymentHadOne && !keyHadOne ? 1 : 0),
        };
    }
}
