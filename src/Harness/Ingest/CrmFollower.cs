using System.Globalization;
using Sagas.Harness.CommandLine;
using Sagas.Harness.Database;

namespace Sagas.Harness.Ingest;

/// <summary>Waits until the CRM knows every customer, and shows how far it is.</summary>
internal sealed class CrmFollower(Terminal terminal, SagasDatabase database, bool json)
{
    private static readonly TimeSpan _shortestPause = TimeSpan.FromSeconds(1);

    // Counting millions of rows takes time, and is to take little of the database's.
    private const int PausePerLook = 10;

    /// <summary>Waits.</summary>
    /// <param name="stop">Stops waiting; the CRM is told all the same.</param>
    public async Task FollowAsync(CancellationToken stop)
    {
        var start = terminal.Time.GetTimestamp();
        long? first = null;
        while (true)
        {
            var look = terminal.Time.GetTimestamp();
            var counts = await ReadAsync(stop);
            var open = counts.GetValueOrDefault("Syncing");
            var (synced, failed) = (counts.GetValueOrDefault("Synced"), counts.GetValueOrDefault("SyncFailed"));
            first ??= open;
            if (open == 0)
            {
                var hint = failed == 0 ? "" : $"; {failed:N0} could not be told: `sagas list customers --state SyncFailed`";
                Say(string.Create(CultureInfo.InvariantCulture, $"The CRM has {synced:N0} customers{hint}."), isLast: true);
                return;
            }
            var rate = (first.Value - open) / Math.Max(terminal.Time.GetElapsedTime(start).TotalSeconds, 0.001);
            var left = rate > 0 ? $", {TimeSpan.FromSeconds(open / rate):h\\:mm\\:ss} left" : "";
            Say(string.Create(CultureInfo.InvariantCulture, $"CRM: {synced:N0} synced, {open:N0} to go, {failed:N0} failed, {rate:N0}/s{left}"), isLast: false);
            var pause = terminal.Time.GetElapsedTime(look) * PausePerLook;
            await Task.Delay(pause > _shortestPause ? pause : _shortestPause, terminal.Time, stop);
        }
    }

    private async Task<Dictionary<string, long>> ReadAsync(CancellationToken stop)
    {
        var rows = await database.QueryAsync(
            "SELECT current_state, count(*) AS customers FROM customer_state GROUP BY current_state",
            row => (State: row.Text("current_state")!, Customers: row.Get<long>("customers")),
            stop);
        return rows.ToDictionary(row => row.State, row => row.Customers);
    }

    private void Say(string line, bool isLast)
    {
        if (!terminal.Interactive || json)
            terminal.Error.WriteLine(line);
        else
            terminal.Output.Write($"\r{line}\u001B[K{(isLast ? Environment.NewLine : "")}");
    }
}
