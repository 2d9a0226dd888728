using Sagas.Simulators.Faults;

namespace Sagas.Simulators.Crm;

/// <summary>Answers the CRM's callers, with the faults that are set.</summary>
internal sealed class CrmRequests(
    CrmBooks books,
    CrmOptions options,
    FaultInjector faults,
    TimeProvider timeProvider,
    CancellationToken stoppingToken
)
{
    /// <summary>A caller that disconnects does not stop its request, as with a real CRM.</summary>
    public async Task StoreAsync(HttpContext context, bool isBatch)
    {
        using var visit = faults.Enter();
        var request = await CrmRequest.ReadAsync(
            context.Request,
            isBatch,
            options.Authorization,
            timeProvider.GetUtcNow(),
            context.RequestAborted
        );
        await visit.WaitHalfAsync(stoppingToken);
        var answer = books.Take(request, visit);
        await visit.WaitHalfAsync(stoppingToken);
        await answer.SendAsync(context, context.RequestAborted);
    }

    public async Task FindAsync(HttpContext context)
    {
        using var visit = faults.Enter();
        await visit.WaitHalfAsync(stoppingToken);
        var customerId = context.Request.Query["customerId"].ToString();
        var answer =
            visit.Rejection()
            ?? visit.Alter(
                options.Authorization is { } authorization && context.Request.Headers.Authorization.ToString() != authorization
                    ? Answer.Problem(401, "Unauthorized", "The header Authorization is missing or wrong.")
                    : CrmAnswers.Stored(books.Find(customerId))
            );
        await visit.WaitHalfAsync(stoppingToken);
        await answer.SendAsync(context, context.RequestAborted);
    }
}
