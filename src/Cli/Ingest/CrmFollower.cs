using System.Globalization;
using Npgsql;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Services.Ingest;
using Sagas.Services.Messages;

namespace Sagas.Cli.Ingest;

/// <summary>
/// Waits until the CRM has been told of the customers of some files, and shows how far it is. The files are read again beside it:
/// of their customers, so many
/// are kept in mind as fit a window, and looked up by their keys until they are settled, so that neither memory nor the
/// database's work grows with
/// the files.
/// </summary>
internal sealed class CrmFollower(Terminal terminal, SagasDatabase database, IngestOptions options, MessagesOptions rules, bool json)
{
    private const int Window = 50_000;

    // Looking takes at most so much of the time.
    private const int PausePerLook = 10;

    private static readonly TimeSpan _shortestPause = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan _betweenLines = TimeSpan.FromSeconds(5);

    // Customers whom the CRM is still to be told of, and how many rows each has.
    private readonly Dictionary<Guid, long> _open = [];

    private long _rows;
    private long _synced;
    private long _failed;
    private long _untold;
    private (long Settled, long Time)? _firstPause;
    private long? _lastLine;

    private bool Rewrites => terminal.Interactive && !json;

    private long Settled => _synced + _failed + _untold;

    /// <summary>Waits.</summary>
    /// <param name="reports">The files, after they were taken in.</param>
    /// <param name="stop">Stops waiting; the CRM is told all the same.</param>
    /// <returns>Whether the CRM has them all.</returns>
    /// <exception cref="CommandException">A file cannot be read any more.</exception>
    public async Task<bool> FollowAsync(IReadOnlyList<IngestReport> reports, CancellationToken stop)
    {
        _rows = reports.Sum(report => report.Rows - report.Rejected);
        try
        {
            using var customers = Customers(reports).GetEnumerator();
            for (var isMore = true; isMore || _open.Count > 0;)
            {
                isMore = isMore && Fill(customers);
                var look = terminal.Time.GetTimestamp();
                await database.OutlastAsync(() => LookAsync(stop), Interrupt, terminal.Time, stop);
                Show();
                // Most of them were told long ago: on to those who were not.
                if (isMore ? _open.Count < Window / 2 : _open.Count == 0)
                    continue;
                _firstPause ??= (Settled, terminal.Time.GetTimestamp());
                var pause = terminal.Time.GetElapsedTime(look) * PausePerLook;
                await Task.Delay(pause > _shortestPause ? pause : _shortestPause, terminal.Time, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            Write("Interrupted. The CRM is told of the others all the same; the same command waits for it again.", isLast: true);
            throw;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new CommandException(ExitCode.Failed, $"The customers cannot be followed: {exception.Message}", exception);
        }
        Write(Outcome(), isLast: true);
        return _failed + _untold == 0;
    }

    private IEnumerable<Guid> Customers(IReadOnlyList<IngestReport> reports)
    {
        foreach (var report in reports.Where(report => report.Rows > report.Rejected))
        {
            using var file = CustomerIdReader.Open(report.File, options, report.Rows, rules, terminal.Time);
            while (file.Read(out var customer))
                yield return customer;
        }
    }

    // False: all have been read.
    private bool Fill(IEnumerator<Guid> customers)
    {
        while (_open.Count < Window)
        {
            if (!customers.MoveNext())
                return false;
            _open[customers.Current] = _open.GetValueOrDefault(customers.Current) + 1;
        }
        return true;
    }

    private async Task<int> LookAsync(CancellationToken stop)
    {
        // Lateral: a look into the index for each, whatever the planner believes of the table.
        var settled = await database.QueryAsync(
            """
            SELECT asked.id, c.current_state FROM unnest($1) AS asked (id)
            LEFT JOIN LATERAL (SELECT current_state FROM customer_state WHERE correlation_id = asked.id OFFSET 0) c ON true
            WHERE c.current_state IS DISTINCT FROM 'Syncing'
            """,
            row => (Customer: row.Get<Guid>("id"), State: row.Text("current_state")),
            stop,
            new NpgsqlParameter<Guid[]> { TypedValue = [.. _open.Keys] });
        foreach (var (customer, state) in settled)
        {
            _open.Remove(customer, out var rows);
            _ = state switch
            {
                "Synced" => _synced += rows,
                "SyncFailed" => _failed += rows,
                "Registered" => _untold += rows,
                // A row that was rejected then and would not be now.
                _ => _rows -= rows,
            };
        }
        return settled.Count;
    }

    private void Show()
    {
        if (!Rewrites && _lastLine is { } last && terminal.Time.GetElapsedTime(last) < _betweenLines)
            return;
        _lastLine = terminal.Time.GetTimestamp();
        // What was told before is not this run's speed.
        var (settled, since) = _firstPause ?? (Settled, _lastLine.Value);
        var rate = (Settled - settled) / Math.Max(terminal.Time.GetElapsedTime(since).TotalSeconds, 0.001);
        var left = rate > 0 ? $", {TimeSpan.FromSeconds((_rows - Settled) / rate):h\\:mm\\:ss} left" : "";
        Write(string.Create(CultureInfo.InvariantCulture, $"CRM: {_synced:N0} of {_rows:N0} rows synced, {_failed:N0} failed, {rate:N0}/s{left}"), isLast: false);
    }

    private string Outcome()
    {
        if (_failed + _untold == 0)
            return string.Create(CultureInfo.InvariantCulture, $"The CRM has the customers of all {_rows:N0} rows.");
        var failed = _failed == 0 ? "" : string.Create(
            CultureInfo.InvariantCulture, $" It could not be told of those of {_failed:N0}: `sagas list customers --state SyncFailed`, `sagas crm retry`.");
        var untold = _untold == 0 ? "" : string.Create(
            CultureInfo.InvariantCulture, $" Those of {_untold:N0} are from before there was a CRM: `sagas crm retry --registered`.");
        return string.Create(CultureInfo.InvariantCulture, $"The CRM has the customers of {_synced:N0} of {_rows:N0} rows.{failed}{untold}");
    }

    private void Interrupt(string sentence)
    {
        if (Rewrites)
            terminal.Output.Write("\r\u001B[K");
        terminal.Error.WriteLine(Display.Clean(sentence));
    }

    private void Write(string line, bool isLast)
    {
        if (Rewrites)
            terminal.Output.Write($"\r{line}\u001B[K{(isLast ? Environment.NewLine : "")}");
        else
            terminal.Error.WriteLine(line);
    }
}
