using System.Globalization;
using System.Text;
using System.Text.Json;
using Sagas.Simulators.Faults;
using Sagas.Simulators.Records;

namespace Sagas.Simulators.Webhooks;

/// <summary>
/// What the receiver knows: which <c>webhook-id</c>s it has accepted, and a record of every delivery. One lock guards all of
/// it: what is done with a delivery and its record are one step.
/// </summary>
internal sealed class WebhookBooks : IDisposable
{
    private static readonly byte[] _received = "{\"status\":\"received\"}"u8.ToArray();

    private readonly Lock _gate = new();
    private readonly RequestLimit _limit;
    private readonly RecordFile? _file;
    private readonly RecordFile? _output;
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);
    private List<WebhookRecord> _records = [];
    private WebhookSummary _summary = Empty;
    private long _lastSequence;
    private volatile WebhookBehaviour _behaviour;

    /// <summary>Opens the books, with what the record file holds.</summary>
    /// <exception cref="IOException">A file cannot be used.</exception>
    public WebhookBooks(WebhookOptions options, TimeProvider timeProvider)
    {
        _behaviour = options.Behaviour;
        _limit = new RequestLimit(timeProvider);
        if (options.RecordFile is { Length: > 0 } path)
        {
            _file = new RecordFile(path);
            _file.Load(line => Keep(JsonSerializer.Deserialize(line.Span, AlertJson.Default.WebhookRecord)!));
        }

        if (options.OutputFile is { Length: > 0 } csv)
        {
            _output = new RecordFile(csv, readers: true);
            // Appends after what is there.
            _output.Load(_ => { });
        }
    }

    private static WebhookSummary Empty => new(0, 0, 0, 0, 0, 0, 0, null, null);

    public WebhookBehaviour Behaviour
    {
        get => _behaviour;
        set => _behaviour = value;
    }

    /// <summary>Accepts a delivery, unless something rejects it, and records it with the answer it will get.</summary>
    /// <returns>The answer to send.</returns>
    /// <exception cref="IOException">A file could not be written; nothing was done.</exception>
    public Answer Take(Delivery delivery, FaultVisit visit)
    {
        lock (_gate)
        {
            var (outcome, answer) = Decide(delivery, visit);
            if (outcome is DeliveryOutcome.Alerted or DeliveryOutcome.Repeated)
                answer = visit.Alter(answer);
            var record = new WebhookRecord(
                _lastSequence + 1,
                delivery.At,
                delivery.Client,
                delivery.Path,
                delivery.Id,
                delivery.Alert?.UserId,
                delivery.Alert?.AlertMessage,
                answer.Ending == Ending.Nothing ? 0 : answer.Status,
                outcome,
                visit.Fault
            );
            Save(record);
            Keep(record);
            return answer;
        }
    }

    public WebhookSummary Summary()
    {
        lock (_gate)
            return _summary;
    }

    public WebhookRecord[] Records()
    {
        lock (_gate)
            return [.. _records];
    }

    public void Clear()
    {
        lock (_gate)
        {
            _file?.Clear();
            _output?.Clear();
            _taken.Clear();
            _records = [];
            _summary = Empty;
        }
    }

    public void Dispose()
    {
        _file?.Dispose();
        _output?.Dispose();
    }

    private (DeliveryOutcome, Answer) Decide(Delivery delivery, FaultVisit visit)
    {
        if (visit.Rejection() is { } rejection)
            return (DeliveryOutcome.Unavailable, rejection);
        if (_limit.Take(delivery.Client, delivery.Path, _behaviour) is { } wait)
        {
            var seconds = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds));
            return (
                DeliveryOutcome.Limited,
                Answer.Problem(429, "Too many requests", "The rate limit is exceeded.") with
                {
                    RetryAfterSeconds = seconds,
                }
            );
        }

        if (_behaviour.Answer is not 0 and var status)
            return (DeliveryOutcome.Unavailable, Answer.Problem(status, "As set", "The receiver was told to answer so."));
        if (delivery.Unsigned is { } unsigned)
            return (DeliveryOutcome.Unsigned, Answer.Problem(401, "Not signed", unsigned));
        if (delivery.Mistake is { } mistake)
            return (DeliveryOutcome.Invalid, Answer.Problem(400, "Not an alert", mistake));
        return (_taken.Contains(delivery.Id) ? DeliveryOutcome.Repeated : DeliveryOutcome.Alerted, Answer.Json(200, _received));
    }

    /// <summary>To the files before memory: what is not on file has not happened.</summary>
    private void Save(WebhookRecord record)
    {
        _file?.Append(line => JsonSerializer.Serialize(line, record, AlertJson.Default.WebhookRecord));
        if (record.Outcome == DeliveryOutcome.Alerted)
            _output?.Append(
                Encoding.UTF8.GetBytes(
                    string.Create(CultureInfo.InvariantCulture, $"{Field(record.UserId)},{Field(record.AlertMessage)}\n")
                )
            );
    }

    private void Keep(WebhookRecord record)
    {
        _lastSequence = record.Sequence;
        _records.Add(record);
        _summary = _summary with
        {
            Requests = _summary.Requests + 1,
            Faults = _summary.Faults + (record.Fault == Fault.None ? 0 : 1),
        };
        _summary = record.Outcome switch
        {
            DeliveryOutcome.Alerted => _summary with
            {
                Alerted = _summary.Alerted + 1,
                FirstAt = _summary.FirstAt ?? record.At,
                LastAt = record.At,
            },
            DeliveryOutcome.Repeated => _summary with { Repeated = _summary.Repeated + 1 },
            DeliveryOutcome.Limited => _summary with { Limited = _summary.Limited + 1 },
            DeliveryOutcome.Unsigned => _summary with { Unsigned = _summary.Unsigned + 1 },
            DeliveryOutcome.Invalid => _summary with { Invalid = _summary.Invalid + 1 },
            _ => _summary,
        };
        if (record.Outcome == DeliveryOutcome.Alerted)
            _taken.Add(record.Id);
    }

    private static string Field(string? text) =>
        text is null || text.AsSpan().IndexOfAny(",\"\r\n") < 0
            ? text ?? ""
            : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
