using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Sagas.Contracts;
using Sagas.Customers;
using Sagas.Database;
using Sagas.OutboundCalls;
using Sagas.Persistence;
using Sagas.Services.Messages;
using Sagas.Services.Operations;

namespace Sagas.Services.Crm;

/// <summary>What an operator can do about customers whose sync failed.</summary>
public static class CrmEndpoints
{
    // As many as one transaction publishes: the number of failed customers has no bound, its memory must have one.
    private const int MaxCustomersPerTransaction = 1000;

    /// <summary>Maps <c>POST /operations/customers/{id}/retry-sync</c> and <c>POST /operations/crm/retry</c>.</summary>
    /// <param name="routes">The application.</param>
    public static void MapCrmOperations(this IEndpointRouteBuilder routes)
    {
        var operations = routes.MapGroup("/operations");
        operations.MapPost("/customers/{id}/retry-sync", RetryAsync).RequireOperatorKey();
        operations.MapPost("/crm/retry", RetryAllAsync).RequireOperatorKey();
    }

    private static async Task<IResult> RetryAsync(
        string id,
        string? requestedBy,
        IPublishEndpoint bus,
        SagasDbContext database,
        CancellationToken cancellationToken
    )
    {
        var customerId = id.Trim();
        if (Identifiers.Problem(customerId) is { } idProblem)
            return BadRequest($"The customer id {idProblem}.");
        if (TextRules.LineProblem(requestedBy) is { } problem)
            return BadRequest($"requestedBy {problem}.");
        var saga = SagaIdentity.Customer(customerId);
        var state = await database
            .Customers.AsNoTracking()
            .Where(customer => customer.CorrelationId == saga)
            .Select(customer => customer.CurrentState)
            .SingleOrDefaultAsync(cancellationToken);
        if (state is null)
            return Results.Problem($"There is no customer {customerId}.", statusCode: StatusCodes.Status404NotFound);
        if (state is not (nameof(CustomerStateMachine.SyncFailed) or nameof(CustomerStateMachine.Registered)))
            return Results.Problem(
                $"Customer {customerId} is {state}; only one that is SyncFailed or Registered is retried.",
                statusCode: StatusCodes.Status409Conflict
            );
        await bus.Publish(new RetryCustomerSync(customerId, requestedBy), cancellationToken);
        await database.SaveChangesAsync(cancellationToken);
        return Results.Accepted(value: new { customerId, status = "requested" });
    }

    private static async Task<IResult> RetryAllAsync(
        string? requestedBy,
        IPublishEndpoint bus,
        SagasDbContext database,
        OutboxCommit outbox,
        NpgsqlDataSource dataSource,
        CancellationToken cancellationToken
    )
    {
        if (TextRules.LineProblem(requestedBy) is { } problem)
            return BadRequest($"requestedBy {problem}.");
        await CallTargets.ResumeAsync(dataSource, CrmTarget.TargetName, keys: null, cancellationToken);
        var requested = 0;
        var last = "";
        while (true)
        {
            var after = last;
            var ids = await database
                .Customers.AsNoTracking()
                .Where(customer =>
                    customer.CurrentState == nameof(CustomerStateMachine.SyncFailed)
                    && string.Compare(customer.CustomerId, after) > 0
                )
                .OrderBy(customer => customer.CustomerId)
                .Select(customer => customer.CustomerId)
                .Take(MaxCustomersPerTransaction)
                .ToListAsync(cancellationToken);
            if (ids.Count == 0)
                return Results.Accepted(value: new { requested });
            await using var transaction = await database.Database.BeginTransactionAsync(cancellationToken);
            foreach (var customerId in ids)
                await bus.Publish(new RetryCustomerSync(customerId, requestedBy), cancellationToken);
            await outbox.CommitAsync(database, cancellationToken);
            requested += ids.Count;
            last = ids[^1];
        }
    }

    private static IResult BadRequest(string what) => Results.Problem(what, statusCode: StatusCodes.Status400BadRequest);
}
