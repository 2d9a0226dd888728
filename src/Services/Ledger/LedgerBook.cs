using System.Text.Json;
using Microsoft.EntityFrameworkCore;

namespace Sagas.Services.Ledger;

/// <summary>Where calls to third parties are asked for.</summary>
public static class LedgerBook
{
    /// <summary>Enters a call, in the context's current transaction. A call whose key is in the ledger changes nothing.
    /// Wake the target's dispatcher (<see cref="LedgerSignal{TTarget}"/>) after the commit.</summary>
    /// <param name="database">The context; its current transaction, if any, is used.</param>
    /// <param name="target">The third party.</param>
    /// <param name="idempotencyKey">The call's name at the target.</param>
    /// <param name="request">What the target is asked to do; kept as JSON.</param>
    /// <param name="conversationId">The conversation that asks for it.</param>
    /// <param name="correlationId">The saga that asks for it.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <returns>False: the key was in the ledger.</returns>
    public static async Task<bool> EnterAsync<TRequest>(
        DbContext database,
        LedgerTarget target,
        string idempotencyKey,
        TRequest request,
        Guid? conversationId,
        Guid? correlationId,
        CancellationToken cancellation)
        where TRequest : class
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(target);
        ArgumentException.ThrowIfNullOrWhiteSpace(idempotencyKey);
        var json = JsonSerializer.Serialize(request, JsonSerializerOptions.Web);
        return await LedgerRows.EnterAsync(database, target, idempotencyKey, json, conversationId, correlationId, cancellation) == 1;
    }
}
