using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using Sagas.Contracts;
using Sagas.Services.Alarms;
using Xunit.Abstractions;

namespace Sagas.IntegrationTests.Alarms;

/// <summary>Statements that run at the same time as others: digests with changes, processes with each other.</summary>
public sealed class AlarmRowsTests(AlarmRowsTests.Shared shared, ITestOutputHelper output)
    : IClassFixture<AlarmRowsTests.Shared>,
        IAsyncLifetime
{
    private const int Users = 5;
    private const int Alarms = 20;
    private const int Batches = 50;

    private static readonly Instant _first = Instant.Parse("2021-06-07T20:40:15.598765212Z");
    private static readonly Instant _second = Instant.Parse("2021-06-07T20:40:15.598765213Z");

    private readonly AlarmDatabase _database = shared.Database;

    public Task InitializeAsync() => _database.ExecuteAsync("TRUNCATE alarm, alarm_digest");

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task A_batch_says_which_changes_contradict_what_is_known()
    {
        await _database.WriteAsync(new AlarmChange("u", "a", "WARNING", _first));
        AlarmChange[] batch =
        [
            new("u", "a", "WARNING", _first),
            new("u", "a", "CRITICAL", _first),
            new("u", "b", "WARNING", _first),
            new("u", "b", "CLEARED", _first),
            new("u", "c", "WARNING", _first),
            new("u", "c", "CRITICAL", _second),
        ];

        await using var connection = await _database.Source.OpenConnectionAsync();
        var conflicts = await AlarmRows.WriteAsync(connection, batch, CancellationToken.None);

        Assert.Equal([batch[1], batch[3]], conflicts.OrderBy(change => change.AlarmId, StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("CRITICAL", "a CRITICAL")]
    [InlineData("CLEARED", "")]
    public async Task A_digest_waits_for_an_uncommitted_change_and_then_uses_it(string status, string expected)
    {
        await _database.WriteAsync(new AlarmChange("u", "a", "WARNING", _first));
        await using var connection = await _database.Source.OpenConnectionAsync();
        await using var change = await connection.BeginTransactionAsync();
        await AlarmRows.WriteAsync(connection, [new AlarmChange("u", "a", status, _second)], CancellationToken.None);
        var digest = _database.SendDigestAsync("u");
        await WaitForLockAsync();
        await change.CommitAsync();
        Assert.Equal(expected, string.Join(", ", (await digest).Select(alarm => $"{alarm.AlarmId} {alarm.Status}")));
        Assert.Empty(await _database.SendDigestAsync("u"));
    }

    [Fact]
    public async Task A_change_during_an_uncommitted_digest_is_in_the_next_one()
    {
        await _database.WriteAsync(new AlarmChange("u", "a", "WARNING", _first));
        await using var connection = await _database.Source.OpenConnectionAsync();
        await using var digest = await connection.BeginTransactionAsync();
        var sent = await AlarmDatabase.SendDigestAsync(connection, "u");
        var change = _database.WriteAsync(new AlarmChange("u", "a", "CRITICAL", _second));
        await WaitForLockAsync();
        await digest.CommitAsync();
        await change;
        Assert.Equal("WARNING", Assert.Single(sent).Status);
        Assert.Equal(_second, Assert.Single(await _database.SendDigestAsync("u")).LatestChangedAt);
    }

    [Fact]
    public async Task Of_two_digests_at_once_the_second_waits_and_is_empty()
    {
        await _database.WriteAsync(new AlarmChange("u", "a", "WARNING", _first));
        await using var connection = await _database.Source.OpenConnectionAsync();
        await using var first = await connection.BeginTransactionAsync();
        Assert.Single(await AlarmDatabase.SendDigestAsync(connection, "u"));
        var second = _database.SendDigestAsync("u");
        await WaitForLockAsync();
        await first.CommitAsync();
        Assert.Empty(await second);
    }

    [Fact]
    public async Task The_changes_of_an_uncommitted_digest_are_in_the_next_one()
    {
        await _database.WriteAsync(new AlarmChange("u", "a", "WARNING", _first));
        await using (var connection = await _database.Source.OpenConnectionAsync())
        {
            await using var killed = await connection.BeginTransactionAsync();
            Assert.Single(await AlarmDatabase.SendDigestAsync(connection, "u"));
        }

        Assert.Single(await _database.SendDigestAsync("u"));
    }

    [Fact]
    public async Task Batches_and_digests_at_once_do_not_deadlock_and_each_last_change_is_sent_once()
    {
        var seed = TestSeed.Take(output);
        var time = new StrongBox<int>();
        var sent = new ConcurrentBag<(string User, ActiveAlarm Alarm)>();
        var writing = Task.WhenAll(
            Enumerable.Range(0, 4).Select(writer => Task.Run(() => WriteBatchesAsync(new Random(seed + writer), time)))
        );
        var sending = Enumerable
            .Range(0, 4)
            .Select(_ =>
                Task.Run(async () =>
                {
                    while (!writing.IsCompleted)
                        await SendDigestsAsync(sent);
                })
            );
        await Task.WhenAll(sending.Append(writing));
        await SendDigestsAsync(sent);

        Assert.Equal(
            sent.Count,
            sent.Select(entry => (entry.User, entry.Alarm.AlarmId, entry.Alarm.LatestChangedAt)).Distinct().Count()
        );
        var last = sent.GroupBy(entry => (entry.User, entry.Alarm.AlarmId))
            .ToDictionary(group => group.Key, group => group.Max(entry => entry.Alarm.LatestChangedAt));
        await using var command = _database.Source.CreateCommand(
            "SELECT user_id, alarm_id, changed_at FROM alarm WHERE status <> 'CLEARED'"
        );
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            Assert.Equal(AlarmRows.FromNumber(reader.GetDecimal(2)), last[(reader.GetString(0), reader.GetString(1))]);
    }

    [Fact]
    public async Task Housekeeping_removes_what_was_cleared_long_ago_and_nothing_else()
    {
        await _database.WriteAsync(
            new("u", "cleared-long-ago", "CLEARED", _first),
            new("u", "active-long-ago", "WARNING", _first)
        );
        await _database.ExecuteAsync("UPDATE alarm SET received_at = now() - interval '31 days'");
        // These changed years ago, but were received just now, and only the latter counts.
        await _database.WriteAsync(new("u", "cleared-now", "CLEARED", _first), new("u", "active-now", "WARNING", _first));
        await _database.ExecuteAsync(
            """
            INSERT INTO alarm_digest (user_id, alarms, message_id, sent_at) VALUES
                ('u', '[]', gen_random_uuid(), now() - interval '91 days'),
                ('u', '[]', gen_random_uuid(), now() - interval '89 days')
            """
        );
        Assert.Equal(2, await Housekeeping().CleanUpAsync(CancellationToken.None));
        Assert.Equal(
            "active-long-ago,active-now,cleared-now",
            await _database.QueryAsync<string>("SELECT string_agg(alarm_id, ',' ORDER BY alarm_id) FROM alarm")
        );
        Assert.Equal(1L, await _database.QueryAsync<long>("SELECT count(*) FROM alarm_digest"));
    }

    [Fact]
    public async Task A_late_change_does_not_reactivate_a_cleared_alarm_while_it_is_kept()
    {
        await _database.WriteAsync(new AlarmChange("u", "a", "CLEARED", _second));
        await _database.ExecuteAsync("UPDATE alarm SET received_at = now() - interval '29 days'");
        await Housekeeping().CleanUpAsync(CancellationToken.None);
        await _database.WriteAsync(new AlarmChange("u", "a", "CRITICAL", _first));
        Assert.Empty(await _database.SendDigestAsync("u"));
        await _database.WriteAsync(new AlarmChange("u", "a", "CRITICAL", Instant.Parse("2021-06-07T20:40:15.598765214Z")));
        Assert.Single(await _database.SendDigestAsync("u"));
    }

    [Fact]
    public async Task Housekeeping_removes_any_number_and_is_done_by_one_process_at_a_time()
    {
        await _database.ExecuteAsync(
            """
            INSERT INTO alarm SELECT 'u', n::text, 'CLEARED', n, NULL, now() - interval '31 days'
            FROM generate_series(1, 12000) n
            """
        );
        await using (var other = await _database.Source.OpenConnectionAsync())
        {
            await using var transaction = await other.BeginTransactionAsync();
            await using var busy = new NpgsqlCommand($"SELECT pg_advisory_xact_lock({AlarmHousekeeping.AdvisoryLock})", other);
            await busy.ExecuteNonQueryAsync();
            Assert.Equal(0, await Housekeeping().CleanUpAsync(CancellationToken.None));
        }

        Assert.Equal(12_000, await Housekeeping().CleanUpAsync(CancellationToken.None));
    }

    [Fact]
    public async Task The_overview_shows_times_and_what_the_next_digest_has()
    {
        await _database.WriteAsync(
            new("u", "a", "WARNING", Instant.Parse("2021-06-07T20:40:15.50Z")),
            new("u", "b", "CLEARED", _first)
        );
        await _database.SendDigestAsync("u");
        await _database.WriteAsync(new AlarmChange("u", "a", "CRITICAL", _first));
        Assert.Equal(
            "a CRITICAL 2021-06-07T20:40:15.598765212Z told 2021-06-07T20:40:15.50Z true; "
                + "b CLEARED 2021-06-07T20:40:15.598765212Z told - false",
            await _database.QueryAsync<string>(
                """
                SELECT string_agg(
                    format('%s %s %s told %s %s', alarm_id, status, changed_at, coalesce(told_changed_at, '-'), to_tell::text),
                    '; ' ORDER BY alarm_id)
                FROM alarms_overview
                """
            )
        );
        Assert.Equal("1970-01-01T00:00:00Z", await _database.QueryAsync<string>("SELECT instant_text(0)"));
        Assert.Equal("1969-12-31T23:59:59.9Z", await _database.QueryAsync<string>("SELECT instant_text(-0.1)"));
    }

    private async Task WriteBatchesAsync(Random random, StrongBox<int> time)
    {
        for (var batch = 0; batch < Batches; batch++)
        {
            var changes = Enumerable
                .Range(0, 40)
                .Select(_ => new AlarmChange(
                    $"u{random.Next(Users)}",
                    $"a{random.Next(Alarms)}",
                    random.Next(3) == 0 ? "CLEARED" : "WARNING",
                    Instant.FromUnixTime(1_700_000_000, Interlocked.Increment(ref time.Value))
                ))
                .ToArray();
            random.Shuffle(changes);
            await _database.WriteAsync(changes);
        }
    }

    private async Task SendDigestsAsync(ConcurrentBag<(string User, ActiveAlarm Alarm)> sent)
    {
        for (var user = 0; user < Users; user++)
        {
            foreach (var alarm in await _database.SendDigestAsync($"u{user}"))
                sent.Add(($"u{user}", alarm));
        }
    }

    private AlarmHousekeeping Housekeeping() =>
        new(_database.Source, Options.Create(new AlarmsOptions()), TimeProvider.System, NullLogger<AlarmHousekeeping>.Instance);

    // Once a transaction waits for a lock, the two overlap.
    private Task WaitForLockAsync() =>
        Eventually.EqualAsync(
            1L,
            () =>
                _database.QueryAsync<long>(
                    """
                    SELECT count(*) FROM pg_stat_activity
                    WHERE datname = current_database() AND backend_type = 'client backend' AND wait_event_type = 'Lock'
                    """
                ),
            what: "how many wait for a lock"
        );

    public sealed class Shared : IAsyncLifetime
    {
        internal AlarmDatabase Database { get; private set; } = null!;

        public async Task InitializeAsync() => Database = await AlarmDatabase.CreateAsync(new ServersFixture());

        public async Task DisposeAsync() => await Database.DisposeAsync();
    }
}
