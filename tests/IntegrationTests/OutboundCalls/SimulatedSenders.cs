using System.Data.Common;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using Sagas.Database;
using Sagas.OutboundCalls;

namespace Sagas.IntegrationTests.OutboundCalls;

/// <summary>
/// Processes that send as fast as their permits allow, and a receiver with a limit. The permits are real ones in the
/// database; the time is simulated, so that the speed of the machine does not matter.
/// </summary>
internal sealed class SimulatedSenders : IAsyncDisposable
{
    private const string Target = "some";

    private static readonly TimeSpan _latency = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan _shortestAsk = TimeSpan.FromMilliseconds(10);

    private static readonly OutboundCall _call = new("key", CallMode.IdempotencyKey, "{}", 1, false, default, null, null);

    private readonly CallTable _table;
    private readonly ServiceProvider _provider;
    private readonly FakeTimeProvider _timeProvider = new();
    private readonly long _started;
    private readonly PriorityQueue<Func<Task>, long> _events = new();
    private readonly int _callsAtOnce;
    private readonly List<(TimeSpan At, bool Limited)> _answers = [];
    private double _tokens;
    private long _tokensAt;

    private SimulatedSenders(CallTable table, CallRateLimit limit, int processes, int callsAtOnce)
    {
        (_table, _callsAtOnce) = (table, callsAtOnce);
        _started = _tokensAt = _timeProvider.GetTimestamp();
        // Resetting a connection between two uses drops its plans, which costs more than the queries.
        var connectionString = new NpgsqlConnectionStringBuilder(table.ConnectionString)
        {
            SearchPath = "public,pg_catalog",
            NoResetOnClose = true,
            MaxAutoPrepare = 10,
            AutoPrepareMinUsages = 2,
        }.ConnectionString;
        _provider = new ServiceCollection()
            .AddDbContextPool<SagasDbContext>(options =>
                options.UseNpgsql(connectionString).AddInterceptors(new DatabaseClock(() => Now))
            )
            .AddScoped<DbContext>(provider => provider.GetRequiredService<SagasDbContext>())
            .BuildServiceProvider();
        for (var process = 0; process < processes; process++)
        {
            var pause = new TargetPause(_timeProvider);
            var limiter = new DistributedRateLimiter(
                Target,
                limit,
                TimeSpan.FromSeconds(15),
                _provider.GetRequiredService<IServiceScopeFactory>(),
                pause,
                _timeProvider
            );
            var sender = new Sender(limiter, pause);
            After(TimeSpan.Zero, () => AskAsync(sender));
        }
    }

    private TimeSpan Now => _timeProvider.GetElapsedTime(_started);

    /// <summary>What the receiver accepts per second; 0 for nothing.</summary>
    public double Allowed { get; set; }

    /// <summary>What it accepts at one moment.</summary>
    public double Burst { get; set; }

    /// <summary>Without a limit, the rate is learned.</summary>
    public static async Task<SimulatedSenders> CreateAsync(
        ServersFixture servers,
        CallRateLimit? limit = null,
        int processes = 2,
        int callsAtOnce = 64
    )
    {
        var table = await CallTable.CreateAsync(servers);
        await table.ExecuteAsync(
            $$"""
            INSERT INTO outbound_call (target, idempotency_key, state, mode, request, due)
            SELECT '{{Target}}', n::text, 'waiting', 'IdempotencyKey', '{}', now() - interval '1 d'
            FROM generate_series(1, 1000) n;
            INSERT INTO rate_limit (target, next_permit_at, epoch_at, grows_at)
            SELECT '{{Target}}', {{DatabaseClock.Epoch}}, {{DatabaseClock.Epoch}}, {{DatabaseClock.Epoch}};
            -- The senders' search path has it before the server's own.
            CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql STABLE
            AS $$ SELECT {{DatabaseClock.Epoch}} + current_setting('{{DatabaseClock.Setting}}')::interval $$;
            ANALYZE outbound_call;
            """
        );
        return new(table, limit ?? new CallRateLimit(), processes, callsAtOnce);
    }

    /// <summary>Lets time pass.</summary>
    public async Task RunAsync(double seconds)
    {
        var end = _timeProvider.GetTimestamp() + (long)(seconds * _timeProvider.TimestampFrequency);
        while (_events.TryPeek(out var next, out var at) && at < end)
        {
            _events.Dequeue();
            SkipTo(at);
            await next();
        }

        SkipTo(end);
    }

    /// <summary>Calls accepted per second, and the share of calls answered 429, in the last seconds.</summary>
    public (double PerSecond, double Limited) Last(double seconds)
    {
        var last = _answers.Where(answer => answer.At > Now - TimeSpan.FromSeconds(seconds)).ToArray();
        return (
            last.Count(answer => !answer.Limited) / seconds,
            last.Length == 0 ? 0 : (double)last.Count(answer => answer.Limited) / last.Length
        );
    }

    /// <summary>The most calls that came within one second of the last ones.</summary>
    public int MostWithinASecond(double seconds)
    {
        var (most, from) = (0, _answers.FindIndex(answer => answer.At > Now - TimeSpan.FromSeconds(seconds)));
        for (var to = from; to < _answers.Count; to++)
        {
            while (_answers[to].At - _answers[from].At >= TimeSpan.FromSeconds(1))
                from++;
            most = Math.Max(most, to - from + 1);
        }

        return most;
    }

    public async ValueTask DisposeAsync()
    {
        await _provider.DisposeAsync();
        await _table.DisposeAsync();
    }

    // Acts like a dispatcher whose calls are never done.
    private async Task AskAsync(Sender sender)
    {
        var limiter = sender.Limiter;
        while (await limiter.TakeAsync(_callsAtOnce - sender.Held, sender.Held, default) is > 0 and var count)
        {
            sender.Held += count;
            foreach (var call in limiter.Assign([.. Enumerable.Repeat(_call, count)]))
                _events.Enqueue(() => CallAsync(sender, call), Math.Max(call.StartAt, _timeProvider.GetTimestamp()));
        }

        After(limiter.AskIn > _shortestAsk ? limiter.AskIn : _shortestAsk, () => AskAsync(sender));
    }

    private Task CallAsync(Sender sender, OutboundCall call)
    {
        if (sender.Pause.Remaining > TimeSpan.Zero)
            sender.Held--;
        else
            After(_latency, () => AnswerAsync(sender, call));
        return Task.CompletedTask;
    }

    private async Task AnswerAsync(Sender sender, OutboundCall call)
    {
        sender.Held--;
        var now = _timeProvider.GetTimestamp();
        _tokens = Math.Min(Burst, _tokens + (_timeProvider.GetElapsedTime(_tokensAt, now).TotalSeconds * Allowed));
        _tokensAt = now;
        var limited = _tokens < 1;
        _answers.Add((Now, limited));
        if (!limited)
        {
            _tokens--;
            return;
        }

        var wait = Allowed == 0 ? 1 : Math.Max(1, Math.Ceiling((1 - _tokens) / Allowed));
        await sender.Limiter.PauseAsync(call, TimeSpan.FromSeconds(wait), isRate: true, "429", default);
    }

    private void After(TimeSpan wait, Func<Task> what) =>
        _events.Enqueue(what, _timeProvider.GetTimestamp() + (long)(wait.TotalSeconds * _timeProvider.TimestampFrequency));

    private void SkipTo(long timestamp)
    {
        if (timestamp > _timeProvider.GetTimestamp())
            _timeProvider.Advance(_timeProvider.GetElapsedTime(_timeProvider.GetTimestamp(), timestamp));
    }

    /// <summary>Sets each connection's time when it is opened; the time does not move while the connection is in use.</summary>
    private sealed class DatabaseClock(Func<TimeSpan> passed) : DbConnectionInterceptor
    {
        public const string Setting = "test.passed";
        public const string Epoch = "timestamptz '2026-01-01 00:00:00Z'";

        public override async Task ConnectionOpenedAsync(
            DbConnection connection,
            ConnectionEndEventData eventData,
            CancellationToken cancellationToken = default
        )
        {
            const string sql = $"SELECT set_config('{Setting}', $1, false)";
            await using var command = new NpgsqlCommand(sql, (NpgsqlConnection)connection);
            command.Parameters.Add(
                new() { Value = string.Create(CultureInfo.InvariantCulture, $"{passed().TotalMicroseconds:0} microseconds") }
            );
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private sealed class Sender(DistributedRateLimiter limiter, TargetPause pause)
    {
        public DistributedRateLimiter Limiter => limiter;

        public TargetPause Pause => pause;

        /// <summary>Calls in flight or waiting for their permit.</summary>
        public int Held { get; set; }
    }
}
