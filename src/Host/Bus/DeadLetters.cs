using MassTransit;
using MassTransit.Middleware;
using MassTransit.Middleware.Rescue;
using MassTransit.Transports;
using Sagas.Services.Messages;

namespace Sagas.Host.Bus;

/// <summary>Marks a delivery that is already in the error queue.</summary>
internal sealed class DeadLettered;

/// <summary>
/// Logs why a message goes to the error queue: one line with the reason when it is invalid, MassTransit's report with the stack
/// otherwise. Adds the message's type and time as headers, so that it can be retried as what it is.
/// </summary>
internal sealed partial class FaultReportFilter(ILogger logger, ContractTypes contracts, TimeProvider timeProvider)
    : IFilter<ExceptionReceiveContext>
{
    private const string TypeHeader = "MT-MessageType";
    private const string ExchangeHeader = "RabbitMQ-ExchangeName";
    private const string Envelope = "application/vnd.masstransit+json";

    private readonly GenerateFaultFilter _report = new();

    public Task Send(ExceptionReceiveContext context, IPipe<ExceptionReceiveContext> next)
    {
        if (context.ContentType?.MediaType != Envelope)
            SetHeaders(context);
        if (context.Exception.GetBaseException() is not InvalidMessageException invalid)
            return _report.Send(context, next);
        context.GetOrAddPayload(() => new DeadLettered());
        LogInvalid(logger, context.InputAddress.AbsolutePath, NameOf(context), invalid.Message);
        return next.Send(context);
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("faultReport");

    // The exchange names the type of plain JSON, and a retry is sent to the queue without an exchange.
    private void SetHeaders(ExceptionReceiveContext context)
    {
        var headers = context.TransportHeaders;
        context.ExceptionHeaders.Set(SentTimeHeader.FirstSeen, SentTimeHeader.Format(SentTimeHeader.Of(context, timeProvider)));
        if (HeaderText.Of(headers, TypeHeader) is null && contracts.Find(HeaderText.Of(headers, ExchangeHeader)) is { } type)
            context.ExceptionHeaders.Set(TypeHeader, type.Name);
    }

    /// <summary>As the command line names it.</summary>
    public static string NameOf(ReceiveContext context) =>
        DeadLetterName.Of(HeaderText.Of(context.TransportHeaders, "MessageId"), context.Body.GetBytes());

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Invalid message on {Endpoint} ({MessageId}) moved to the error queue: {Reason}"
    )]
    public static partial void LogInvalid(ILogger logger, string endpoint, string messageId, string reason);
}

/// <summary>
/// Moves a message that nothing on its queue consumes to the error queue with a reason, like any other that cannot be consumed,
/// instead of to a queue of its own (<c>_skipped</c>).
/// </summary>
internal sealed class UnknownMessageFilter(ILogger logger) : IFilter<ReceiveContext>
{
    public async Task Send(ReceiveContext context, IPipe<ReceiveContext> next)
    {
        if (context.TryGetPayload<DeadLettered>(out _) || !context.TryGetPayload<IErrorTransport>(out var errors))
            return;
        var types = context.TryGetPayload<ConsumeContext>(out var consumed)
            ? string.Join(", ", consumed.SupportedMessageTypes)
            : "";
        var reason = new InvalidMessageException(
            $"Nothing on the queue '{context.InputAddress.AbsolutePath.Split('/')[^1]}' consumes a message of the type "
                + $"{(types.Length > 0 ? types : "that it has")}."
        );
        FaultReportFilter.LogInvalid(
            logger,
            context.InputAddress.AbsolutePath,
            FaultReportFilter.NameOf(context),
            reason.Message
        );
        await errors.Send(new RescueExceptionReceiveContext(context, reason));
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("unknownMessage");
}
