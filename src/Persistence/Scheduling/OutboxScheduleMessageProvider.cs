using MassTransit;
using MassTransit.Scheduling;
using MassTransit.Transports;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Sagas.Persistence;

/// <summary>
/// Schedules messages as outbox rows that are due later. Inside a consumer with outbox, and in a scope with bus outbox, a
/// scheduled message is part of the transaction; elsewhere (a redelivery after a failed consume) it has one of its own.
/// </summary>
/// <param name="endpoints">Where messages are sent in the current context.</param>
/// <param name="consumeContext">The message that is being consumed, if any.</param>
/// <param name="services">The container.</param>
internal sealed class OutboxScheduleMessageProvider(
    ISendEndpointProvider endpoints,
    ConsumeContext? consumeContext,
    IServiceProvider services
) : IScheduleMessageProvider
{
    private IConsumeTransaction? Transaction =>
        consumeContext is not null && consumeContext.TryGetPayload<IConsumeTransactionContext>(out var context)
            ? context.Transaction
            : null;

    public async Task<ScheduledMessage<T>> ScheduleSend<T>(
        Uri destinationAddress,
        DateTime scheduledTime,
        T message,
        IPipe<SendContext<T>> pipe,
        CancellationToken cancellationToken
    )
        where T : class
    {
        var tokenId = ScheduleTokenIdCache<T>.GetTokenId(message, NewId.NextGuid());
        var schedulePipe = new ScheduleSendPipe<T>(pipe, scheduledTime) { ScheduledMessageId = tokenId };
        if (consumeContext is not null && Transaction is null)
        {
            await StoreAsync(destinationAddress, message, schedulePipe, cancellationToken);
        }
        else
        {
            var endpoint = await endpoints.GetSendEndpoint(destinationAddress);
            await endpoint.Send(message, schedulePipe, cancellationToken);
        }

        return new ScheduledMessageHandle<T>(
            schedulePipe.ScheduledMessageId ?? tokenId,
            scheduledTime,
            destinationAddress,
            message
        );
    }

    public async Task CancelScheduledSend(Guid tokenId, CancellationToken cancellationToken)
    {
        if (Transaction is { } transaction)
        {
            transaction.Effects.CancelScheduled(tokenId);
            return;
        }

        var database = services.GetRequiredService<OutboxDatabase>();
        await database.ExecuteAsync(
            database.Tables.Outbox.DeleteScheduled,
            cancellationToken,
            new NpgsqlParameter<Guid[]> { TypedValue = [tokenId] }
        );
    }

    public Task CancelScheduledSend(Uri destinationAddress, Guid tokenId, CancellationToken cancellationToken) =>
        CancelScheduledSend(tokenId, cancellationToken);

    private async Task StoreAsync<T>(
        Uri destinationAddress,
        T message,
        IPipe<SendContext<T>> pipe,
        CancellationToken cancellationToken
    )
        where T : class
    {
        var endpoint = await services.GetRequiredService<IBus>().GetSendEndpoint(destinationAddress);
        var context = await ((ITransportSendEndpoint)endpoint).CreateSendContext(message, pipe, cancellationToken);
        var row = OutboxMessageFactory.Create(context, services.GetRequiredService<TimeProvider>());
        var database = services.GetRequiredService<OutboxDatabase>();
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection.Npgsql);
        batch.BatchCommands.Add(database.Tables.Outbox.InsertMessages([row]));
        await batch.ExecuteNonQueryAsync(cancellationToken);
        services.GetRequiredService<OutboxSignal>().Set();
    }
}
