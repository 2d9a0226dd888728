using System.Text;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Npgsql;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Sagas.Host;

namespace Sagas.IntegrationTests.Host;

/// <summary>A host with its database and broker, seen from outside: by AMQP, SQL and HTTP.</summary>
internal sealed class TestSystem : IAsyncDisposable
{
    private readonly IAsyncDisposable[] _owned;
    private readonly NpgsqlDataSource _database;
    private readonly Dictionary<string, string?> _settings;
    private IConnection? _connection;
    private WebApplication? _host;

    private TestSystem(Dictionary<string, string?> settings, params IAsyncDisposable[] owned)
    {
        _settings = settings;
        _owned = owned;
        _database = NpgsqlDataSource.Create(settings["ConnectionStrings:Postgres"]!);
    }

    public IReadOnlyDictionary<string, string?> Settings => _settings;

    public IServiceProvider Services => _host!.Services;

    public HttpClient Http { get; private set; } = new();

    /// <summary>Where the process listens; the callback's address is the last.</summary>
    public IEnumerable<string> Urls => _host!.Urls;

    /// <summary>A system of its own, not started yet.</summary>
    public static async Task<TestSystem> CreateAsync(ITestServers servers, params (string Key, string? Value)[] settings)
    {
        var virtualHost = servers.CreateVirtualHostAsync("host");
        var database = await servers.CreateDatabaseAsync("host");
        var all = new Dictionary<string, string?>
        {
            ["ConnectionStrings:Postgres"] = database.ConnectionString,
            ["RabbitMq:Uri"] = (await virtualHost).Uri.ToString(),
            ["urls"] = "http://127.0.0.1:0",
            // Long, since a busy machine stalls for seconds: only a defect reaches them.
            ["ShutdownTimeout"] = "00:02:00",
            ["RabbitMq:HeartbeatInterval"] = "00:01:00",
            // These tests are about the host, and start no CRM.
            ["Crm:Enabled"] = "false",
            ["Serilog:MinimumLevel:Default"] = "Error",
            ["Serilog:MinimumLevel:Override:Microsoft.Hosting.Lifetime"] = "Error",
        };
        foreach (var (key, value) in settings)
            all[key] = value;
        return new TestSystem(all, await virtualHost, database);
    }

    /// <summary>One more process on the same database and virtual host, not started yet.</summary>
    /// <param name="settings">What is set differently.</param>
    public TestSystem AnotherProcess(params (string Key, string? Value)[] settings)
    {
        var all = new Dictionary<string, string?>(_settings);
        foreach (var (key, value) in settings)
            all[key] = value;
        return new(all);
    }

    public async Task StartAsync()
    {
        _host = SagasHost.Create([], _settings);
        await _host.StartAsync();
        Http = new HttpClient { BaseAddress = new Uri(_host.Urls.First()) };
    }

    public async Task StopAsync()
    {
        await _host!.StopAsync();
        await _host.DisposeAsync();
        _host = null;
    }

    public async Task<IChannel> OpenChannelAsync()
    {
        if (_connection is not { IsOpen: true })
            _connection = await Broker.ConnectAsync(new Uri(_settings["RabbitMq:Uri"]!));
        return await _connection.CreateChannelAsync(new CreateChannelOptions(true, true));
    }

    /// <summary>Publishes a body as another program would, and waits until the broker has it.</summary>
    public async Task PublishAsync(
        string exchange,
        string routingKey,
        ReadOnlyMemory<byte> body,
        BasicProperties? properties = null
    )
    {
        await using var channel = await OpenChannelAsync();
        await channel.BasicPublishAsync(
            exchange,
            routingKey,
            mandatory: true,
            properties ?? new BasicProperties { Persistent = true },
            body
        );
    }

    public Task PublishAsync(string exchange, string body, BasicProperties? properties = null) =>
        PublishAsync(exchange, "", Encoding.UTF8.GetBytes(body), properties);

    /// <summary>What arrives in a queue's error queue, oldest first.</summary>
    public async Task<DeadLetters> ReadDeadLettersAsync(string queue)
    {
        var channel = await OpenChannelAsync();
        // The same type as MassTransit declares: the broker rejects a second declaration that differs.
        await channel.QueueDeclareAsync(
            queue + "_error",
            true,
            false,
            false,
            new Dictionary<string, object?> { ["x-queue-type"] = "quorum" }
        );
        var letters = Channel.CreateUnbounded<DeadLetter>();
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += async (_, delivery) => await letters.Writer.WriteAsync(DeadLetter.Of(delivery));
        await channel.BasicConsumeAsync(queue + "_error", autoAck: true, consumer);
        return new DeadLetters(channel, letters.Reader);
    }

    /// <summary>Takes the next message of a queue.</summary>
    public async Task<BasicGetResult> TakeAsync(string queue)
    {
        await using var channel = await OpenChannelAsync();
        return await Broker.TakeAsync(channel, queue);
    }

    /// <summary>The number of messages in a queue. A busy broker may return 0.</summary>
    public async Task<uint> CountAsync(string queue)
    {
        await using var channel = await OpenChannelAsync();
        return (await channel.QueueDeclarePassiveAsync(queue)).MessageCount;
    }

    /// <summary>Waits until a queue has this many messages.</summary>
    public Task WaitForCountAsync(string queue, uint expected) =>
        Eventually.EqualAsync(expected, () => CountAsync(queue), what: $"the count of {queue}");

    /// <summary>Takes all messages of a queue, at least this many, and counts them. A message sent again counts once.</summary>
    public async Task<int> TakeAllAsync(string queue, int atLeast)
    {
        await using var channel = await OpenChannelAsync();
        var ids = new HashSet<string>();
        return await Eventually.MatchesAsync(
            $"{atLeast} messages in {queue}",
            async () =>
            {
                while (await channel.BasicGetAsync(queue, autoAck: true) is { } message)
                    ids.Add(message.BasicProperties.MessageId!);
                return ids.Count;
            },
            count => count >= atLeast
        );
    }

    public async Task<T> QueryAsync<T>(string sql)
    {
        await using var command = _database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = _database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Waits until a query returns a value.</summary>
    public Task WaitForAsync<T>(string sql, T expected) => Eventually.EqualAsync(expected, () => QueryAsync<T>(sql), what: sql);

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
            await StopAsync();
        if (_connection is not null)
            await _connection.DisposeAsync();
        await _database.DisposeAsync();
        Http.Dispose();
        foreach (var owned in _owned)
            await owned.DisposeAsync();
    }

    public sealed record DeadLetter(string Body, IReadOnlyDictionary<string, string> Headers, string? UserId)
    {
        public string Reason => Headers["MT-Fault-Message"];

        public static DeadLetter Of(BasicDeliverEventArgs delivery) =>
            new(
                Encoding.UTF8.GetString(delivery.Body.Span),
                (delivery.BasicProperties.Headers ?? new Dictionary<string, object?>()).ToDictionary(
                    header => header.Key,
                    header => header.Value is byte[] text ? Encoding.UTF8.GetString(text) : $"{header.Value}"
                ),
                delivery.BasicProperties.UserId
            );
    }

    public sealed class DeadLetters(IChannel channel, ChannelReader<DeadLetter> letters) : IAsyncDisposable
    {
        public async Task<DeadLetter> NextAsync()
        {
            using var timeout = new CancellationTokenSource(Eventually.Timeout);
            return await letters.ReadAsync(timeout.Token);
        }

        public bool IsEmpty => !letters.TryPeek(out _);

        public ValueTask DisposeAsync() => channel.DisposeAsync();
    }
}
