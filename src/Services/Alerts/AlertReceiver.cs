using System.Buffers;
using System.Globalization;
using Microsoft.Extensions.Options;
using Sagas.Contracts;
using Sagas.Services.Http;
using Sagas.Services.Ledger;

namespace Sagas.Services.Alerts;

/// <summary>The webhook's receiver: it recognises a <c>webhook-id</c> that it has taken.</summary>
public sealed class AlertReceiver : LedgerTarget
{
    /// <summary>The receiver's name in the ledger.</summary>
    public const string TargetName = "alert-webhook";

    private const int Gone = 410;
    private const int LongestId = 128;

    private static readonly SearchValues<char> _plain =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    private readonly Uri _endpoint;
    private readonly byte[][] _keys;
    private readonly SafeConnections _connections;
    private readonly TimeProvider _time;

    /// <summary>Makes the target.</summary>
    /// <param name="options">Where alerts go and how.</param>
    /// <param name="time">The clock that signatures tell.</param>
    public AlertReceiver(IOptions<AlertsOptions> options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        var alerts = options.Value;
        _endpoint = new Uri(alerts.Endpoint);
        _keys = WebhookSignature.Keys(alerts.Secrets);
        _connections = new SafeConnections(alerts.Hosts);
        _time = time;
        (Options, Limit) = (alerts.ScheduledCalls, alerts.Limit);
    }

    /// <inheritdoc />
    public override string Name => TargetName;

    /// <inheritdoc />
    public override LedgerMode Mode => LedgerMode.IdempotencyKey;

    /// <inheritdoc />
    public override LedgerOptions Options { get; }

    /// <inheritdoc />
    public override CallLimit Limit { get; }

    /// <inheritdoc />
    public override bool NeedsWholeAnswer => false;

    /// <inheritdoc />
    public override void Configure(SocketsHttpHandler handler) => _connections.Guard(handler);

    /// <inheritdoc />
    public override HttpRequestMessage CreateRequest(LedgerCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        var body = call.Read<AlertRequest>().ToBody();
        var id = WebhookId(call.IdempotencyKey);
        var timestamp = _time.GetUtcNow().ToUnixTimeSeconds();
        return new(HttpMethod.Post, _endpoint)
        {
            Headers =
            {
                { "webhook-id", id },
                { "webhook-timestamp", timestamp.ToString(CultureInfo.InvariantCulture) },
                { "webhook-signature", WebhookSignature.Sign(_keys, id, timestamp, body) },
            },
            Content = new ByteArrayContent(body) { Headers = { ContentType = new("application/json") } },
        };
    }

    /// <inheritdoc />
    public override LedgerVerdict ReadSuccess(LedgerCall call, LedgerAnswer answer)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(answer);
        return LedgerVerdict.Done(
            $"{answer.Code}: delivered",
            response: null,
            new AlertDelivered(call.IdempotencyKey, call.Read<AlertRequest>().UserId, _time.GetUtcNow()));
    }

    /// <inheritdoc />
    public override LedgerVerdict ReadRefusal(LedgerCall call, LedgerAnswer answer)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(answer);
        if (answer.Code == Gone)
            return LedgerVerdict.Parked("410: the endpoint is gone") with { TargetGone = true };
        var reason = $"{answer.Code}: the receiver refused it";
        return LedgerVerdict.Declined(
            call.MayHaveHappened ? reason + "; an earlier attempt may have arrived" : reason,
            response: null,
            new AlertFailed(call.IdempotencyKey, call.Read<AlertRequest>().UserId, reason, _time.GetUtcNow()));
    }

    // A header takes ASCII only, and the signature separates its parts by dots: other ids get a name derived from them.
    private static string WebhookId(string alertId) => alertId.Length <= LongestId && !alertId.AsSpan().ContainsAnyExcept(_plain)
        ? alertId
        : $"msg_{SagaIdentity.Alert(alertId):N}";
}
