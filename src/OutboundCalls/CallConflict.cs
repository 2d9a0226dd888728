using System.Text.Json;
using Microsoft.EntityFrameworkCore;

namespace Sagas.OutboundCalls;

/// <summary>Tells a call that is enqueued once more from another call under its key.</summary>
public static class CallConflict
{
    private const string ConflictSql = """
        SELECT EXISTS (
            SELECT FROM outbound_call WHERE target = $1 AND idempotency_key = $2 AND request <> $3::jsonb)
        """;

    /// <summary>Whether the call of a key, which <see cref="CallQueue"/> found to be known, has another request.</summary>
    /// <param name="database">The context; its current transaction, if any, is used.</param>
    /// <param name="target">The third party.</param>
    /// <param name="idempotencyKey">The call's name at the target.</param>
    /// <param name="request">The request that was not enqueued.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task<bool> ExistsAsync<TRequest>(
        DbContext database,
        CallTarget target,
        string idempotencyKey,
        TRequest request,
        CancellationToken cancellationToken
    )
        where TRequest : class
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(target);
        await using var connection = await CallStore.OpenAsync(database, cancellationToken);
        await using var command = connection.Command(ConflictSql);
        command.Parameters.Add(new() { Value = target.Name });
        command.Parameters.Add(new() { Value = idempotencyKey });
        command.Parameters.Add(new() { Value = JsonSerializer.Serialize(request, JsonSerializerOptions.Web) });
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }
}
