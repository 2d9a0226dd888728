using System.Data;
using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Sagas.Persistence;

/// <summary>
/// Ends a consume whose code uses the context, where it shares its transaction with others: what that code reads and writes must
/// be in a transaction of its own.
/// </summary>
internal sealed class GroupInterceptor : DbConnectionInterceptor
{
    private const string Reason = "it uses the context";

    public override DbConnection ConnectionCreated(ConnectionCreatedEventData eventData, DbConnection result)
    {
        // Code may open the connection without the context.
        result.StateChange += static (_, change) =>
        {
            if (change.CurrentState == ConnectionState.Open)
                Check();
        };
        return result;
    }

    public override InterceptionResult ConnectionOpening(
        DbConnection connection,
        ConnectionEventData eventData,
        InterceptionResult result
    )
    {
        Check();
        return result;
    }

    public override ValueTask<InterceptionResult> ConnectionOpeningAsync(
        DbConnection connection,
        ConnectionEventData eventData,
        InterceptionResult result,
        CancellationToken cancellationToken = default
    )
    {
        Check();
        return new(result);
    }

    private static void Check()
    {
        if (GroupedConsume.Current is { } consume)
            throw consume.Leave(Reason);
    }
}
