using MassTransit;
using RabbitMQ.Client.Exceptions;
using Sagas.Persistence;

namespace Sagas.Host.Bus;

/// <summary>What a failed attempt says about the next one.</summary>
internal enum FaultKind
{
    /// <summary>No later attempt can end differently.</summary>
    InvalidMessage,

    /// <summary>It is not about the message: database, broker or network. Some later attempt will succeed.</summary>
    Transient,

    /// <summary>Another process was first to insert the same row; the next attempt finds the row.</summary>
    Race,

    /// <summary>Anything else: a few more attempts, then the error queue.</summary>
    Unknown,
}

/// <summary>Distinguishes infrastructure failures from invalid messages and faults of code.</summary>
internal static class TransientFaults
{
    public static FaultKind Classify(Exception exception)
    {
        for (var current = exception; current is not null; current = current.InnerException)
        {
            if (current is AggregateException { InnerExceptions: { Count: > 1 } several })
                return several.Select(Classify).Max(Urgency) is var (_, kind) ? kind : FaultKind.Unknown;
            switch (Single(current))
            {
                case FaultKind.Unknown:
                    continue;
                case var kind:
                    return kind;
            }
        }
        return FaultKind.Unknown;
    }

    private static (int, FaultKind) Urgency(FaultKind kind) =>
        (
            kind switch
            {
                FaultKind.Transient => 3,
                FaultKind.Race => 2,
                FaultKind.Unknown => 1,
                _ => 0,
            },
            kind
        );

    private static FaultKind Single(Exception exception) =>
        exception switch
        {
            InvalidMessageException => FaultKind.InvalidMessage,
            EndOfStreamException or IOException => FaultKind.Transient,
            RabbitMQClientException or ConnectionException or TransportException => FaultKind.Transient,
            MessageNotAcknowledgedException or TransportUnavailableException => FaultKind.Transient,
            // Cancelled by something other than this process's own stop, which MassTransit does not pass on: a time-out.
            OperationCanceledException => FaultKind.Transient,
            _ => DatabaseFaults.ClassifySingle(exception) switch
            {
                DatabaseFault.Transient or DatabaseFault.LoginRejected => FaultKind.Transient,
                DatabaseFault.Duplicate => FaultKind.Race,
                _ => FaultKind.Unknown,
            },
        };
}
