using System.Globalization;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Services.Ingest;
using Sagas.Services.Messages;

namespace Sagas.Cli.Files;

/// <summary>
/// Waits until the CRM has the customers of some files, and shows the progress. It reads the files again, keeps a window of their
/// customers in memory and looks these up by key until they are synced, so that memory and queries do not grow with the files.
/// </summary>
internal sealed class CrmFollower(
    Terminal terminal,
    SagasDatabase database,
    IngestOptions options,
    MessagesOptions rules,
    bool json
)
{
    private const int Window = 50_000;

    // The queries take at most one part of this many of the time.
    private const int PausePerLook = 10;

    private static readonly TimeSpan _minPause = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan _lineInterval = TimeSpan.FromSeconds(5);

    // Customers that the CRM does not have yet, and how many rows each has.
    private readonly Dictionary<Guid, long> _open = [];

    private long _rows;
    private long _synced;
    private long _failed;
    private long _unsynced;
    private (long Settled, long Time)? _firstPause;
    private long? _lastLine;

    private bool Rewrites => terminal.Interactive && !json;

    private long Settled => _synced + _failed + _unsynced;

    /// <summary>Waits until the CRM has them, or their sync failed.</summary>
    /// <returns>Whether the CRM has them all.</returns>
    /// <exception cref="CommandException">A file cannot be read any more.</exception>
    public async Task<bool> FollowAsync(IReadOnlyList<FileReport> reports, CancellationToken cancellationToken)
    {
        _rows = reports.Sum(report => report.Rows - report.Rejected);
        try
        {
            using var customers = Customers(reports).GetEnumerator();
            for (var isMore = true; isMore || _open.Count > 0; )
            {
                isMore = isMore && Fill(customers);
                var look = terminal.TimeProvider.GetTimestamp();
                await database.RetryWhileUnavailableAsync(
                    () => LookAsync(cancellationToken),
                    Interrupt,
                    terminal.TimeProvider,
                    cancellationToken
                );
                Show();
                // Most are synced: read on, to those that are not.
                if (isMore ? _open.Count < Window / 2 : _open.Count == 0)
                    continue;
                _firstPause ??= (Settled, terminal.TimeProvider.GetTimestamp());
                var pause = terminal.TimeProvider.GetElapsedTime(look) * PausePerLook;
                await Task.Delay(pause > _minPause ? pause : _minPause, terminal.TimeProvider, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            Write(
                "Interrupted. The services send the other customers to the CRM; the same command waits for them again.",
                isLast: true
            );
            throw;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new CommandException(ExitCode.Failed, $"Cannot wait for the CRM: {exception.Message}", exception);
        }
        Write(Outcome(), isLast: true);
        return _failed + _unsynced == 0;
    }

    private IEnumerable<Guid> Customers(IReadOnlyList<FileReport> reports)
    {
        foreach (var report in reports.Where(report => report.Rows > report.Rejected))
        {
            using var file = CustomerIdReader.Open(report.File, options, report.Rows, rules, terminal.TimeProvider);
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

    private async Task<int> LookAsync(CancellationToken cancellationToken)
    {
        var settled = await CustomerRow.SettledAsync(database, [.. _open.Keys], cancellationToken);
        foreach (var (customer, state) in settled)
        {
            _open.Remove(customer, out var rows);
            _ = state switch
            {
                "Synced" => _synced += rows,
                "SyncFailed" => _failed += rows,
                "Registered" => _unsynced += rows,
                // A row that was rejected then and is valid by now.
                _ => _rows -= rows,
            };
        }
        return settled.Count;
    }

    private void Show()
    {
        if (!Rewrites && _lastLine is { } last && terminal.TimeProvider.GetElapsedTime(last) < _lineInterval)
            return;
        _lastLine = terminal.TimeProvider.GetTimestamp();
        // Customers synced before do not count for the rate.
        var (settled, since) = _firstPause ?? (Settled, _lastLine.Value);
        var seconds = terminal.TimeProvider.GetElapsedTime(since).TotalSeconds;
        var rate = Format.PerSecond(Settled - settled, seconds) is { } perSecond ? $", {perSecond}/s" : "";
        var left =
            rate.Length > 0 && Settled > settled
                ? $", {TimeSpan.FromSeconds((_rows - Settled) * seconds / (Settled - settled)):h\\:mm\\:ss} left"
                : "";
        Write(
            string.Create(
                CultureInfo.InvariantCulture,
                $"CRM: {_synced:N0} of {_rows:N0} rows synced, {_failed:N0} failed{rate}{left}"
            ),
            isLast: false
        );
    }

    private string Outcome()
    {
        if (_failed + _unsynced == 0)
            return string.Create(CultureInfo.InvariantCulture, $"The CRM has the customers of all {_rows:N0} rows.");
        var failed =
            _failed == 0
                ? ""
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $" The sync of {_failed:N0} failed: `sagas customers list --state SyncFailed`, `sagas customers retry`."
                );
        var unsynced =
            _unsynced == 0
                ? ""
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $" {_unsynced:N0} registered while the CRM was disabled: `sagas customers retry --registered`."
                );
        return string.Create(
            CultureInfo.InvariantCulture,
            $"The CRM has the customers of {_synced:N0} of {_rows:N0} rows.{failed}{unsynced}"
        );
    }

    private void Interrupt(string sentence)
    {
        if (Rewrites)
            terminal.Output.Write("\r\u001B[K");
        terminal.Error.WriteLine(Format.Clean(sentence));
    }

    private void Write(string line, bool isLast)
    {
        if (Rewrites)
            terminal.Output.Write($"\r{line}\u001B[K{(isLast ? Environment.NewLine : "")}");
        else
            terminal.Error.WriteLine(line);
    }
}
