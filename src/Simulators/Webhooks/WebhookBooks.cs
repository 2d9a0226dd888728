using System.Globalization;
using System.Text;
using System.Text.Json;
using Sagas.Simulators.Faults;
using Sagas.Simulators.Records;

namespace Sagas.Simulators.Webhooks;

/// <summary>
/// What the receiver knows: which <c>webhook-id</c>s it has taken, and a record of every delivery. One lock guards all of
/// it: what is done with a delivery and its record are one step.
/// </summary>
internal sealed class WebhookBooks : IDisposable
{
    private static readonly byte[] Taken = "{\"status\":\"received\"}"u8.ToArray();

    private readonly Lock gate = new();
    private readonly RequestLimit limit;
    private readonly RecordFile? file;
    private readonly RecordFile? output;
    private readonly HashSet<string> taken = new(StringComparer.Ordinal);
    private List<WebhookRecord> records = [];
    private WebhookSummary summary = Empty;
    private long lastSequence;
    private volatile WebhookBehaviour behaviour;

    /// <summary>Opens the books, with what the record file holds.</summary>
    /// <exception cref="IOException">A file cannot be used.</exception>
    public WebhookBooks(WebhookOptions options, TimeProvider time)
    {
        behaviour = options.Behaviour;
        limit = new RequestLimit(time);
        if (options.RecordFile is { Length: > 0 } path)
        {
            file = new RecordFile(path);
            file.Load(line => Keep(JsonSerializer.Deserialize(line.Span, AlertJson.Default.WebhookRecord)!));
        }

        if (options.OutputFile is { Length: > 0 } csv)
        {
            output = new RecordFile(csv, readers: true);
            // To append behind what is there.
            output.Load(_ => { });
        }
    }

    private static WebhookSummary Empty => new(0, 0, 0, 0, 0, 0, 0, null, null);

    public WebhookBehaviour Behaviour
    {
        get => behaviour;
        set => behaviour = value;
    }

    /// <summary>Takes a delivery, unless something turns it away, and records it with the answer it will get.</summary>
    /// <returns>The answer to send.</returns>
    /// <exception cref="IOException">A file refused it; nothing was done.</exception>
    public Answer Take(Delivery delivery, FaultVisit visit)
    {
        lock (gate)
        {
            var (outcome, answer) = Decide(delivery, visit);
            if (outcome is DeliveryOutcome.Alerted or DeliveryOutcome.Repeated)
                answer = visit.Alter(answer);
            var record = new WebhookRecord(
                lastSequence + 1,
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
        lock (gate)
            return summary;
    }

    public WebhookRecord[] Records()
    {
        lock (gate)
            return [.. records];
    }

    public void Clear()
    {
        lock (gate)
        {
            file?.Clear();
            output?.Clear();
            taken.Clear();
            records = [];
            summary = Empty;
        }
    }

    public void Dispose()
    {
        file?.Dispose();
        output?.Dispose();
    }

    private (DeliveryOutcome, Answer) Decide(Delivery delivery, FaultVisit visit)
    {
        if (visit.Refusal() is { } refusal)
            return (DeliveryOutcome.TurnedAway, refusal);
        if (limit.Take(delivery.Client, delivery.Path, behaviour) is { } wait)
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

        if (behaviour.Answer is not 0 and var status)
            return (DeliveryOutcome.TurnedAway, Answer.Problem(status, "As set", "The receiver was told to answer so."));
        if (delivery.Unsigned is { } unsigned)
            return (DeliveryOutcome.Unsigned, Answer.Problem(401, "Not signed", unsigned));
        if (delivery.Mistake is { } mistake)
            return (DeliveryOutcome.Invalid, Answer.Problem(400, "Not an alert", mistake));
        return (taken.Contains(delivery.Id) ? DeliveryOutcome.Repeated : DeliveryOutcome.Alerted, Answer.Json(200, Taken));
    }

    /// <summary>To the files before memory: what is not on file has not happened.</summary>
    private void Save(WebhookRecord record)
    {
        file?.Append(line => JsonSerializer.Serialize(line, record, AlertJson.Default.WebhookRecord));
        if (record.Outcome == DeliveryOutcome.Alerted)
            output?.Append(
                Encoding.UTF8.GetBytes(
                    string.Create(CultureInfo.InvariantCulture, $"{Field(record.UserId)},{Field(record.AlertMessage)}\n")
                )
            );
    }

    private void Keep(WebhookRecord record)
    {
        lastSequence = record.Sequence;
        records.Add(record);
        summary = summary with
        {
            Requests = summary.Requests + 1,
            Faults = summary.Faults + (record.Fault == Fault.None ? 0 : 1),
        };
        summary = record.Outcome switch
        {
            DeliveryOutcome.Alerted => summary with
            {
                Alerted = summary.Alerted + 1,
                FirstAt = summary.FirstAt ?? record.At,
                LastAt = record.At,
            },
            DeliveryOutcome.Repeated => summary with { Repeated = summary.Repeated + 1 },
            DeliveryOutcome.Limited => summary with { Limited = summary.Limited + 1 },
            DeliveryOutcome.Unsigned => summary with { Unsigned = summary.Unsigned + 1 },
            DeliveryOutcome.Invalid => summary with { Invalid = summary.Invalid + 1 },
            _ => summary,
        };
        if (record.Outcome == DeliveryOutcome.Alerted)
            taken.Add(record.Id);
    }

    private static string Field(string? text) =>
        text is null || text.AsSpan().IndexOfAny(",\"\r\n") < 0
            ? text ?? ""
            : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
