using MassTransit;
using Npgsql;
using Sagas.Contracts;
using Sagas.Database;
using Sagas.OutboundCalls;
using Sagas.Services.Operations.Audit;
using Sagas.Services.Operations.Reads;

namespace Sagas.Services.Operations.Actions;

/// <summary>What came of an action.</summary>
/// <param name="Subject">What it was done to.</param>
/// <param name="Result">What came of it, for people.</param>
/// <param name="Count">How many things it changed.</param>
public sealed record OperatorResult(string Subject, string Result, int Count);

/// <summary>What operators do, from the dashboard and the API alike. Each leaves a row in the audit.</summary>
internal sealed class OperatorActions(
    NpgsqlDataSource database,
    SagasDbContext context,
    IPublishEndpoint bus,
    AuditLog audit,
    TargetPauses pauses,
    OverviewReader overview
)
{
    private const int MaxRetriedTogether = 10_000;

    public async Task<OperatorResult> RevivePaymentAsync(string actor, string paymentId, CancellationToken cancellationToken)
    {
        await bus.Publish(new RevivePayment(paymentId, actor), cancellationToken);
        await context.SaveChangesAsync(cancellationToken);
        return await DoneAsync(actor, "payment.revive", $"payment/{paymentId}", "requested", 1, cancellationToken);
    }

    public async Task<OperatorResult> RetryCustomerSyncAsync(string actor, string customerId, CancellationToken cancellationToken)
    {
        await bus.Publish(new RetryCustomerSync(customerId, actor), cancellationToken);
        await context.SaveChangesAsync(cancellationToken);
        return await DoneAsync(actor, "customer.retry-sync", $"customer/{customerId}", "requested", 1, cancellationToken);
    }

    /// <summary>Retries one parked call.</summary>
    public async Task<OperatorResult> RetryCallAsync(string actor, string target, string key, CancellationToken cancellationToken)
    {
        var retried = await ParkedCalls.RetryAsync(database, new() { Target = target, Keys = [key] }, cancellationToken);
        return await DoneAsync(
            actor,
            "call.retry",
            $"call/{target}/{key}",
            retried.Calls.Count == 0 ? "not parked any more" : "due now",
            retried.Calls.Count,
            cancellationToken
        );
    }

    /// <summary>Retries the parked calls that match a filter, the oldest first.</summary>
    public async Task<OperatorResult> RetryCallsAsync(string actor, CallFilter filter, CancellationToken cancellationToken)
    {
        var keys = await CallsGivenUp.KeysAsync(
            database,
            filter with
            {
                State = "parked",
            },
            MaxRetriedTogether,
            cancellationToken
        );
        var retried = 0;
        foreach (var target in keys.GroupBy(key => key.Target, StringComparer.Ordinal))
        {
            var some = new ParkedCallFilter { Target = target.Key, Keys = [.. target.Select(key => key.IdempotencyKey)] };
            retried += (await ParkedCalls.RetryAsync(database, some, cancellationToken)).Calls.Count;
        }

        return await DoneAsync(actor, "calls.retry", filter.ToString(), $"{retried} due now", retried, cancellationToken);
    }

    /// <inheritdoc cref="TargetPauses.PauseAsync"/>
    public async Task<OperatorResult> PauseTargetAsync(string actor, string target, CancellationToken cancellationToken)
    {
        var result = await pauses.PauseAsync(actor, target, cancellationToken);
        overview.Forget();
        return result;
    }

    /// <inheritdoc cref="TargetPauses.ResumeAsync"/>
    public async Task<OperatorResult> ResumeTargetAsync(string actor, string target, CancellationToken cancellationToken)
    {
        var result = await pauses.ResumeAsync(actor, target, cancellationToken);
        overview.Forget();
        return result;
    }

    private async Task<OperatorResult> DoneAsync(
        string actor,
        string action,
        string subject,
        string result,
        int count,
        CancellationToken cancellationToken
    )
    {
        await audit.WriteAsync(actor, action, subject, result, cancellationToken);
        overview.Forget();
        return new(subject, result, count);
    }
}
