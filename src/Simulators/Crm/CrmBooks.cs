using System.Text.Json;
using Sagas.Simulators.Faults;
using Sagas.Simulators.Records;

namespace Sagas.Simulators.Crm;

/// <summary>Counts of what the CRM received and did.</summary>
/// <param name="Calls">Customers that it was asked to store, those of a batch each.</param>
/// <param name="Effects">Times that data were stored.</param>
/// <param name="Replays">Calls answered with an earlier result.</param>
/// <param name="Declined">Calls whose data the CRM declined.</param>
/// <param name="Rejected">Calls that were not a customer, or used a key for other data.</param>
/// <param name="Faults">Calls that met a fault.</param>
/// <param name="Customers">Customers that it knows.</param>
/// <param name="DuplicateEffects">Times that a version of a customer's data was stored which had been stored before.</param>
/// <param name="StaleEffects">Times that older data were stored over newer ones.</param>
/// <param name="FirstEffectAt">When data were stored for the first time.</param>
/// <param name="LastEffectAt">When data were stored last.</param>
internal sealed record CrmSummary(
    long Calls,
    long Effects,
    long Replays,
    long Declined,
    long Rejected,
    long Faults,
    long Customers,
    long DuplicateEffects,
    long StaleEffects,
    DateTimeOffset? FirstEffectAt,
    DateTimeOffset? LastEffectAt
);

/// <summary>What the CRM has of a customer.</summary>
/// <param name="Sequence">Number of the record in which it was stored.</param>
/// <param name="Version">The version of the data.</param>
/// <param name="Body">The data, JSON.</param>
/// <param name="Effects">How often data of the customer were stored.</param>
internal sealed record StoredCustomer(long Sequence, int Version, byte[] Body, int Effects)
{
    public string Reference => ReferenceOf(Sequence);

    public static string ReferenceOf(long sequence) => $"crm-{sequence:D10}";
}

/// <summary>
/// What the CRM knows: each customer's data, the result under each key, and a record of every call. One lock guards all of it:
/// a call's effect and its record are one step. It stores data in the order of arrival: that the newest data
/// come last is up to the caller, and is counted here.
/// </summary>
internal sealed class CrmBooks : IDisposable
{
    private readonly Lock _gate = new();
    private readonly CrmOptions _options;
    private readonly RecordFile? _file;
    private readonly Dictionary<string, (long Sequence, byte[] Body)> _keys = [];
    private readonly Dictionary<string, StoredCustomer> _customers = [];
    private readonly HashSet<(string, int)> _versions = [];
    private RecordList<CrmRecord> _records = new();
    private CrmSummary _summary = Nothing;
    private long _lastSequence;

    private static CrmSummary Nothing => new(0, 0, 0, 0, 0, 0, 0, 0, 0, null, null);

    /// <summary>Opens the books, with what the record file holds.</summary>
    /// <exception cref="IOException">The record file cannot be read.</exception>
    public CrmBooks(CrmOptions options)
    {
        _options = options;
        if (options.RecordFile is not { Length: > 0 } path)
            return;
        _file = new RecordFile(path);
        _file.Load(saved => Keep(CrmRecord.Read(saved)));
    }

    /// <summary>
    /// Carries a request out, unless <paramref name="visit"/> rejects it, and records it with the answer it will get.
    /// </summary>
    /// <returns>The answer to send.</returns>
    /// <exception cref="IOException">The record file could not be written; nothing was done from that customer on.</exception>
    public Answer Take(CrmRequest request, FaultVisit visit)
    {
        lock (_gate)
        {
            if (visit.Rejection() is { } unavailable)
                return RecordAll(request, Outcome.Unavailable, unavailable, visit.Fault);
            if (request.Rejection is { } rejection)
                return RecordAll(request, Outcome.Invalid, visit.Alter(rejection), visit.Fault);
            var results = request.Calls.Select(call => Store(request.At, call, request.IsBatch, visit)).ToArray();
            return visit.Alter(request.IsBatch ? CrmAnswers.Batch(results) : CrmAnswers.Single(results[0]));
        }
    }

    /// <summary>What is stored of a customer; null: nothing.</summary>
    public StoredCustomer? Find(string customerId)
    {
        lock (_gate)
            return _customers.GetValueOrDefault(customerId);
    }

    /// <summary>Every customer, as it is stored.</summary>
    public IReadOnlyList<StoredCustomer> Customers()
    {
        lock (_gate)
            return [.. _customers.Values];
    }

    public CrmSummary Summary()
    {
        lock (_gate)
            return _summary with { Customers = _customers.Count };
    }

    public IEnumerable<CrmRecord> Records()
    {
        lock (_gate)
            return _records.Snapshot();
    }

    public void Clear()
    {
        lock (_gate)
        {
            _file?.Clear();
            _keys.Clear();
            _customers.Clear();
            _versions.Clear();
            _records = new RecordList<CrmRecord>();
            _summary = Nothing;
        }
    }

    public void Dispose() => _file?.Dispose();

    private Answer RecordAll(CrmRequest request, Outcome outcome, Answer answer, Fault fault)
    {
        foreach (var call in request.Calls)
            Enter(request.At, call, outcome, fault, answer.Ending == Ending.Nothing ? 0 : answer.Status);
        return answer;
    }

    private CrmResult Store(DateTimeOffset at, CrmCall call, bool isBatch, FaultVisit visit)
    {
        var (outcome, result) = Decide(call, _lastSequence + 1, isBatch);
        Enter(at, call, outcome, visit.Fault, visit.Fault == Fault.LostAfter ? 0 : result.Status);
        return result;
    }

    private (Outcome, CrmResult) Decide(CrmCall call, long sequence, bool isBatch)
    {
        if (call.Mistake is { } mistake)
            return (Outcome.Invalid, CrmResult.Failed(call, 400, mistake));
        var customer = call.Customer!;
        if (call.Key is not null && _keys.TryGetValue(call.Key, out var earlier))
        {
            using var before = JsonDocument.Parse(earlier.Body);
            return Customer.Read(before.RootElement).Customer == customer
                ? (Outcome.Replayed, new CrmResult(call, 200, StoredCustomer.ReferenceOf(earlier.Sequence), null, IsReplay: true))
                : (Outcome.KeyReused, CrmResult.Failed(call, 422, "The idempotency key was used for other data."));
        }

        if (isBatch && Random.Shared.NextDouble() < _options.ItemFailRate)
            return (Outcome.Unavailable, CrmResult.Failed(call, 503, "Try this customer again later."));
        return customer.IsDeclined || Random.Shared.NextDouble() < _options.DeclineRate
            ? (Outcome.Declined, CrmResult.Failed(call, 422, "The e-mail address is declined."))
            : (Outcome.Stored, new CrmResult(call, 201, StoredCustomer.ReferenceOf(sequence), null));
    }

    private void Enter(DateTimeOffset at, CrmCall call, Outcome outcome, Fault fault, int status)
    {
        var record = new CrmRecord(
            _lastSequence + 1,
            at,
            call.Key,
            call.Customer?.CustomerId,
            call.Customer?.Version ?? 0,
            call.Body,
            outcome,
            fault,
            (short)status
        );
        // To the file before memory: what is not on file has not happened.
        _file?.Append(record.WriteTo);
        Keep(record);
    }

    private void Keep(in CrmRecord record)
    {
        _lastSequence = record.Sequence;
        _records.Add(record);
        _summary = _summary with { Calls = _summary.Calls + 1, Faults = _summary.Faults + (record.Fault == Fault.None ? 0 : 1) };
        switch (record.Outcome)
        {
            case Outcome.Stored:
                KeepEffect(record);
                break;
            case Outcome.Replayed:
                _summary = _summary with { Replays = _summary.Replays + 1 };
                break;
            case Outcome.Declined:
                _summary = _summary with { Declined = _summary.Declined + 1 };
                break;
            case Outcome.KeyReused or Outcome.Invalid:
                _summary = _summary with { Rejected = _summary.Rejected + 1 };
                break;
        }
    }

    /// <summary>
    /// Counts duplicates and stale data from the record itself, not from the decision that should have made them impossible.
    /// </summary>
    private void KeepEffect(in CrmRecord record)
    {
        var customerId = record.CustomerId!;
        var before = _customers.GetValueOrDefault(customerId);
        _customers[customerId] = new StoredCustomer(record.Sequence, record.Version, record.Body!, (before?.Effects ?? 0) + 1);
        if (record.Key is { } key)
            _keys[key] = (record.Sequence, record.Body!);
        _summary = _summary with
        {
            Effects = _summary.Effects + 1,
            DuplicateEffects = _summary.DuplicateEffects + (_versions.Add((customerId, record.Version)) ? 0 : 1),
            StaleEffects = _summary.StaleEffects + (before is not null && before.Version > record.Version ? 1 : 0),
            FirstEffectAt = _summary.FirstEffectAt ?? record.At,
            LastEffectAt = record.At,
        };
    }
}
