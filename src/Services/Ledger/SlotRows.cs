using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;

namespace Sagas.Services.Ledger;

/// <summary>What the database granted.</summary>
/// <param name="Slots">How many calls may start.</param>
/// <param name="StartIn">When the first may start; negative: that moment has passed.</param>
/// <param name="Spacing">From one to the next; zero: there is no limit.</param>
/// <param name="AskIn">When to ask again.</param>
/// <param name="Places">Calls in flight that this process may have; null: it was not looked at.</param>
/// <param name="Epoch">The correction of the learned rate under which they were granted.</param>
/// <param name="PausedFor">How long the target wants no call.</param>
/// <param name="AnythingDue">Calls are due.</param>
internal sealed record SlotGrant(
    int Slots, TimeSpan StartIn, TimeSpan Spacing, TimeSpan AskIn, int? Places, long Epoch, TimeSpan PausedFor, bool AnythingDue)
{
    public static SlotGrant None { get; } = new(0, TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero, null, 0, TimeSpan.Zero, true);
}

/// <summary>The statements on table <c>ledger_limit</c>.</summary>
internal static class SlotRows
{
    public static async Task<SlotGrant> TakeAsync(
        DbContext database, string target, Guid process, int want, double? rate, int? atOnce, int running, TimeSpan lease, CancellationToken cancellation)
    {
        await using var connection = await LedgerRows.OpenAsync(database, cancellation);
        await using var command = connection.Command(
            "SELECT slots, start_in, spacing, ask_in, places, epoch, paused_for, anything_due FROM take_slots($1, $2, $3, $4, $5, $6, $7)");
        command.Parameters.Add(new() { Value = target });
        command.Parameters.Add(new() { Value = process });
        command.Parameters.Add(new() { Value = want });
        command.Parameters.Add(new() { Value = (object?)rate ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Double });
        command.Parameters.Add(new() { Value = (object?)atOnce ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Integer });
        command.Parameters.Add(new() { Value = running });
        command.Parameters.Add(new() { Value = lease });
        await using var row = await command.ExecuteReaderAsync(cancellation);
        await row.ReadAsync(cancellation);
        return new(
            row.GetInt32(0), Seconds(row, 1), Seconds(row, 2), Seconds(row, 3), row.IsDBNull(4) ? null : row.GetInt32(4), row.GetInt64(5),
            Seconds(row, 6), row.GetBoolean(7));
    }

    public static Task<int> RefuseAsync(
        DbContext database, string target, long epoch, TimeSpan pause, string said, bool learn, CancellationToken cancellation) =>
        LedgerRows.ExecuteAsync(
            database,
            "SELECT refuse_slots($1, $2, $3, $4, $5)",
            [
                new() { Value = target }, new() { Value = epoch }, new() { Value = pause.TotalSeconds }, new() { Value = said },
                new() { Value = learn },
            ],
            cancellation);

    public static Task<int> DisableAsync(DbContext database, string target, string said, CancellationToken cancellation) =>
        LedgerRows.ExecuteAsync(
            database,
            """
            INSERT INTO ledger_limit AS l (target, disabled_at, disabled_by) VALUES ($1, now(), $2)
            ON CONFLICT (target) DO UPDATE SET disabled_at = now(), disabled_by = $2 WHERE l.disabled_at IS NULL
            """,
            [new() { Value = target }, new() { Value = said }],
            cancellation);

    public static async Task<int> EnableAsync(NpgsqlDataSource database, string target, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            "UPDATE ledger_limit SET disabled_at = NULL, disabled_by = NULL WHERE target = $1 AND disabled_at IS NOT NULL");
        command.Parameters.Add(new() { Value = target });
        return await command.ExecuteNonQueryAsync(cancellation);
    }

    public static Task<int> LeaveAsync(DbContext database, string target, Guid process, CancellationToken cancellation) =>
        LedgerRows.ExecuteAsync(
            database,
            "DELETE FROM ledger_limit_holder WHERE target = $1 AND process_id = $2",
            [new() { Value = target }, new() { Value = process }],
            cancellation);

    private static TimeSpan Seconds(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? TimeSpan.Zero : TimeSpan.FromSeconds(row.GetDouble(column));
}
