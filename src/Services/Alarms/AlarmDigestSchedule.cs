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
/// Asks for a digest of every user with something to tell, every so often. Whichever process finds the turn due takes it, in
/// the transaction that commits the requests: a turn is taken once, and wholly or not at all.
/// </summary>
internal sealed partial class AlarmDigestSchedule(
    IServiceScopeFactory scopes,
    IOptions<AlarmsOptions> options,
    TimeProvider timeProvider,
    ILogger<AlarmDigestSchedule> logger
) : BackgroundService
{
    // Requests of one page are sent one after the other, pages side by side.
    private const int UsersPerPage = 50;

    private const string StartSql = "INSERT INTO alarm_digest_schedule (last_run_at) VALUES (now()) ON CONFLICT DO NOTHING";

    // Turns are counted from the last one that was due, so that they do not wander; missed ones are not made up for.
    private const string TakeTurnSql = """
        UPDATE alarm_digest_schedule
        SET last_run_at = last_run_at + floor(extract(epoch FROM now() - last_run_at) / extract(epoch FROM $1)) * $1
        WHERE last_run_at <= now() - $1
        """;

    private static readonly TimeSpan _maxInterval = TimeSpan.FromSeconds(10);

    /// <summary>Asks for the digests, if it is time.</summary>
    /// <returns>How many users' digests were asked for; null: it was not time, or another process did.</returns>
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
#pragma warning disable CA1031 // The database may be away for any reason; the turn is still due when it is back.
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
