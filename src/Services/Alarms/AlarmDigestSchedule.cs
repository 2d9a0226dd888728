using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Sagas.Contracts;
using Sagas.Database;

namespace Sagas.Services.Alarms;

/// <summary>
/// Requests a digest of every user with changes, at intervals. The first process that finds a run due takes it, in
/// the transaction that commits the requests: a run is taken once, and completely or not at all.
/// </summary>
internal sealed partial class AlarmDigestSchedule(
    IServiceScopeFactory scopes,
    IOptions<AlarmsOptions> options,
    TimeProvider timeProvider,
    ILogger<AlarmDigestSchedule> logger
) : BackgroundService
{
    // Requests of one page are sent one after the other, pages in parallel.
    private const int UsersPerPage = 50;

    private const string StartSql = "INSERT INTO alarm_digest_schedule (last_run_at) VALUES (now()) ON CONFLICT DO NOTHING";

    // Runs are counted from the last one that was due, so that they do not drift; missed ones are skipped.
    private const string TakeTurnSql = """
        UPDATE alarm_digest_schedule
        SET last_run_at = last_run_at + floor(extract(epoch FROM now() - last_run_at) / extract(epoch FROM $1)) * $1
        WHERE last_run_at <= now() - $1
        """;

    private static readonly TimeSpan _maxInterval = TimeSpan.FromSeconds(10);

    /// <summary>Requests the digests, if a run is due.</summary>
    /// <returns>How many users' digests were requested; null: no run was due, or another process took it.</returns>
    public async Task<int?> RunAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<SagasDbContext>();
        await using var transaction = await database.Database.BeginTransactionAsync(cancellationToken);
        var connection = (NpgsqlConnection)database.Database.GetDbConnection();
        await using var start = new NpgsqlCommand(StartSql, connection);
        await start.ExecuteNonQueryAsync(cancellationToken);
        await using var turn = new NpgsqlCommand(TakeTurnSql, connection);
        turn.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = options.Value.DigestInterval });
        var users = 0;
        var taken = await turn.ExecuteNonQueryAsync(cancellationToken) == 1;
        if (taken)
            users = await RequestAllAsync(
                scope.ServiceProvider.GetRequiredService<IPublishEndpoint>(),
                database,
                connection,
                cancellationToken
            );
        await transaction.CommitAsync(cancellationToken);
        return taken ? users : null;
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var every = options.Value.DigestInterval;
        if (every == TimeSpan.Zero)
            return;
        using var timer = new PeriodicTimer(every / 10 < _maxInterval ? every / 10 : _maxInterval, timeProvider);
        do
        {
            try
            {
                if (await RunAsync(stoppingToken) is { } users)
                    LogAsked(users);
            }
#pragma warning disable CA1031 // The database may be unavailable for any reason; the run is still due when it is back.
            catch (Exception exception)
                when (exception is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                LogNotAsked(exception.GetBaseException().Message);
            }
        } while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private static async Task<int> RequestAllAsync(
        IPublishEndpoint bus,
        SagasDbContext database,
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        var users = 0;
        for (var last = ""; ; )
        {
            var page = await AlarmRows.UsersToTellAsync(connection, last, UsersPerPage, cancellationToken);
            if (page.Count == 0)
                return users;
            foreach (var user in page)
                await bus.Publish(new SendAlarmDigest(user), cancellationToken);
            await database.SaveChangesAsync(cancellationToken);
            database.ChangeTracker.Clear();
            users += page.Count;
            last = page[^1];
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Asked for the scheduled digests of {Users} users")]
    private partial void LogAsked(int users);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The scheduled digests were not asked for this time: {Reason}")]
    private partial void LogNotAsked(string reason);
}
