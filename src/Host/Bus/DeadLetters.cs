using MassTransit;
using MassTransit.Middleware;
using MassTransit.Middleware.Rescue;
using MassTransit.Transports;
using Sagas.Services.Messages;

namespace Sagas.Host.Bus;

/// <summary>Marks a delivery that has already gone to the error queue.</summary>
internal sealed class DeadLettered;

/// <summary>
/// Tells the log why a message goes to the error queue: one line when it was refused, since the reason says it all;
/// MassTransit's report with the stack otherwise. And tells the message what it is, so that it can come back.
/// </summary>
internal sealed partial class FaultReportFilter(ILogger logger) : IFilter<ExceptionReceiveContext>
{
    private const string TypeHeader = "MT-MessageType";
    private const string Envelope = "application/vnd.masstransit+json";

    private readonly GenerateFaultFilter _report = new();

    public Task Send(ExceptionReceiveContext context, IPipe<ExceptionReceiveContext> next)
    {
        SayType(context);
        if (context.Exception.GetBaseException() is not MessageRefusedException refused)
            return _report.Send(context, next);
        context.GetOrAddPayload(() => new DeadLettered());
        LogRefused(logger, context.InputAddress.AbsolutePath, NameOf(context), refused.Message);
        return next.Send(context);
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("faultReport");

    // Plain JSON is known by the exchange that it was published to, and the way back to its queue leads by no exchange.
    private static void SayType(ExceptionReceiveContext context)
    {
        var headers = context.TransportHeaders;
        if (context.ContentType?.MediaType != Envelope && headers.Get<string>(TypeHeader) is null
            && ContractTypes.Find(headers.Get<string>("RabbitMQ-ExchangeName")) is { } type)
            context.ExceptionHeaders.Set(TypeHeader, type.Name);
    }

    /// <summary>As the command line names it.</summary>
    public static string NameOf(ReceiveContext context) => DeadLetterName.Of(context.TransportHeaders.Get<string>("MessageId"), context.Body.GetBytes());

    [LoggerMessage(Level = LogLevel.Warning, Message = "Refused a message on {Endpoint} ({MessageId}): {Reason}")]
    public static partial void LogRefused(ILogger logger, string endpoint, string messageId, string reason);
}

/// <summary>
/// A message that nothing on its queue consumes goes to the error queue with a reason, like any other that cannot be
/// consumed, instead of to a queue of its own (<c>_skipped</c>) that nobody looks at.
/// </summary>
internal sealed class UnknownMessageFilter(ILogger logger) : IFilter<ReceiveContext>
{
    public async Task Send(ReceiveContext context, IPipe<ReceiveContext> next)
    {
        if (context.TryGetPayload<DeadLettered>(out _) || !context.TryGetPayload<IErrorTransport>(out var errors))
            return;
        var types = context.TryGetPayload<ConsumeContext>(out var consumed) ? string.Join(", ", consumed.SupportedMessageTypes) : "";
        var reason = new MessageRefusedException(
            $"Nothing on the queue '{context.InputAddress.AbsolutePath.Split('/')[^1]}' consumes a message of the type "
            + $"{(types.Length > 0 ? types : "that it has")}.");
        FaultReportFilter.LogRefused(logger, context.InputAddress.AbsolutePath, FaultReportFilter.NameOf(context), reason.Message);
        await errors.Send(new RescueExceptionReceiveContext(context, reason));
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("unknownMessage");
}
