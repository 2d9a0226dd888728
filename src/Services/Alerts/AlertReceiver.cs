using System.Buffers;
using System.Globalization;
using Microsoft.Extensions.Options;
using Sagas.Contracts;
using Sagas.OutboundCalls;

namespace Sagas.Services.Alerts;

/// <summary>The webhook's receiver: it recognises a <c>webhook-id</c> that it has accepted.</summary>
public sealed class AlertReceiver : CallTarget
{
    /// <summary>The receiver's name in <c>outbound_call</c>.</summary>
    public const string TargetName = "alert-webhook";

    private const int Gone = 410;
    private const int MaxIdLength = 128;

    private static readonly SearchValues<char> _plain = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    );

    private readonly Uri _endpoint;
    private readonly byte[][] _keys;
    private readonly SafeConnections _connections;
    private readonly TimeProvider _timeProvider;

    /// <summary>Creates the target.</summary>
    /// <param name="options">Where alerts go and how.</param>
    /// <param name="timeProvider">The clock of the signatures.</param>
    public AlertReceiver(IOptions<AlertsOptions> options, TimeProvider timeProvider)
    {
        ArgumentNullException.ThrowIfNull(options);
        var alerts = options.Value;
        _endpoint = new Uri(alerts.Endpoint);
        _keys = WebhookSignature.Keys(alerts.Secrets);
        _connections = new SafeConnections(alerts.Hosts);
        _timeProvider = timeProvider;
        (Options, Retry, Limit) = (alerts.Calls, RetryPolicy.Schedule(alerts.Schedule), alerts.Limit);
    }

    /// <inheritdoc />
    public override string Name => TargetName;

    /// <inheritdoc />
    public override CallMode Mode => CallMode.IdempotencyKey;

    /// <inheritdoc />
    public override OutboundCallOptions Options { get; }

    /// <inheritdoc />
    public override RetryPolicy Retry { get; }

    /// <inheritdoc />
    public override CallRateLimit Limit { get; }

    /// <inheritdoc />
    public override bool NeedsCompleteBody => false;

    /// <inheritdoc />
    public override void Configure(SocketsHttpHandler handler) => _connections.Guard(handler);

    /// <inheritdoc />
    public override HttpRequestMessage CreateRequest(OutboundCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        var body = call.Read<AlertRequest>().ToBody();
        var id = WebhookId(call.IdempotencyKey);
        var timestamp = _timeProvider.GetUtcNow().ToUnixTimeSeconds();
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
    public override CallOutcome ReadSuccess(OutboundCall call, CallResponse response)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(response);
        return CallOutcome.Succeeded(
            $"{response.Code}: delivered",
            response: null,
            new AlertDelivered(call.IdempotencyKey, call.Read<AlertRequest>().UserId, _timeProvider.GetUtcNow())
        );
    }

    /// <inheritdoc />
    public override CallOutcome ReadRejection(OutboundCall call, CallResponse response)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(response);
        if (response.Code == Gone)
            return CallOutcome.Parked("410: the endpoint is gone") with { TargetGone = true };
        var reason = $"{response.Code}: the receiver rejected it";
        return CallOutcome.Rejected(
            call.OutcomeUnknown ? reason + "; an earlier attempt may have arrived" : reason,
            response: null,
            new AlertFailed(call.IdempotencyKey, call.Read<AlertRequest>().UserId, reason, _timeProvider.GetUtcNow())
        );
    }

    // A header takes ASCII only, and the signature separates its parts by dots: other ids get a name derived from them.
    private static string WebhookId(string alertId) =>
        alertId.Length <= MaxIdLength && !alertId.AsSpan().ContainsAnyExcept(_plain)
            ? alertId
            : $"msg_{SagaIdentity.Alert(alertId):N}";
}
