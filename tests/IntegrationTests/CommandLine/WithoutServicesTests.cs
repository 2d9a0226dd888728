using System.Text;
using Npgsql;
using RabbitMQ.Client;
using Sagas.Cli.Broker;

namespace Sagas.IntegrationTests.CommandLine;

/// <summary>Servers that run, and services that never did.</summary>
public sealed class WithoutServicesTests(ServersFixture servers) : IClassFixture<ServersFixture>, IAsyncLifetime
{
    private TestDatabase _database = null!;
    private TestVirtualHost _host = null!;
    private CommandLineRunner _sagas = null!;
    private IConnection _connection = null!;

    public async Task InitializeAsync()
    {
        _database = await servers.CreateEmptyDatabaseAsync("cli");
        _host = await servers.CreateVirtualHostAsync("cli");
        _sagas = new CommandLineRunner(_database.ConnectionString, _host.Uri);
        _connection = await new ConnectionFactory { Uri = _host.Uri }.CreateConnectionAsync();
    }

    public async Task DisposeAsync()
    {
        await _connection.DisposeAsync();
        await _host.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Theory]
    [InlineData("c", "4711")]
    [InlineData("p", "4711")]
    public async Task Nothing_is_published_that_nobody_would_receive(params string[] args)
    {
        var run = await _sagas.RunAsync(args);

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("Start the services first", run.Error);
        Assert.Empty(run.Output);
    }

    [Fact]
    public async Task A_queue_that_is_not_bound_does_not_make_it_look_published()
    {
        await using var channel = await _connection.CreateChannelAsync();
        await channel.QueueDeclareAsync("payment-saga", durable: true, exclusive: false, autoDelete: false);
        await channel.ExchangeDeclareAsync("PaymentRequested", ExchangeType.Fanout, durable: true);

        var run = await _sagas.RunAsync("p", "4711");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("no queue is bound", run.Error);
    }

    [Fact]
    public async Task Alerts_that_there_are_not_are_not_retried_and_enable_no_endpoint()
    {
        await _sagas.JsonAsync("migrate");
        await using var database = NpgsqlDataSource.Create(_database.ConnectionString);
        await using (var rows = database.CreateCommand(
            """
            INSERT INTO ledger_limit (target, disabled_at) VALUES ('alert-webhook', now());
            INSERT INTO ledger (target, idempotency_key, state, mode, request) VALUES ('alert-webhook', 'order-7', 'parked', 'IdempotencyKey', '{}')
            """))
            await rows.ExecuteNonQueryAsync();

        foreach (var (option, value) in new[] { ("--id", "order-8"), ("--file", "order-7"), ("--file", Guid.NewGuid().ToString()) })
        {
            var run = await _sagas.RunAsync("alerts", "retry", option, value);
            Assert.Equal(4, run.ExitCode);
            Assert.Contains(value, run.Error, StringComparison.Ordinal);
        }

        await using var disabled = database.CreateCommand("SELECT disabled_at IS NOT NULL FROM ledger_limit");
        Assert.Equal(true, await disabled.ExecuteScalarAsync());
        var retried = await _sagas.JsonAsync("alerts", "retry", "--id", "order-7");
        Assert.Equal((1, true), (retried.GetProperty("alerts").GetInt64(), retried.GetProperty("endpointEnabled").GetBoolean()));
    }

    [Fact]
    public async Task A_database_without_tables_is_told_how_to_get_them_and_gets_them()
    {
        var before = await _sagas.RunAsync("list", "payments");
        Assert.Equal(1, before.ExitCode);
        Assert.Contains("sagas migrate", before.Error);

        Assert.Contains("001_initial", (await _sagas.JsonAsync("migrate")).GetProperty("applied").EnumerateArray().Select(name => name.GetString()));
        Assert.Empty((await _sagas.JsonAsync("migrate")).GetProperty("applied").EnumerateArray());
        Assert.Equal(0, (await _sagas.JsonAsync("list", "payments")).GetArrayLength());
        Assert.Equal(4, (await _sagas.RunAsync("show", "payment", "invoice-8")).ExitCode);
        Assert.Equal(4, (await _sagas.RunAsync("show", "customer", "4711")).ExitCode);
        Assert.Equal(4, (await _sagas.RunAsync("revive", "payment", "invoice-8")).ExitCode);
        Assert.Equal(4, (await _sagas.RunAsync("retry", "call", "invoice-8")).ExitCode);
    }

    [Fact]
    public async Task Watching_ends_well_when_it_is_told_to()
    {
        await _sagas.RunAsync("migrate");

        var run = await _sagas.StopOnOutputAsync("list", "payments", "--watch");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("No payments.", run.Output);
    }

    [Fact]
    public async Task Only_parked_calls_are_made_again()
    {
        await _sagas.RunAsync("migrate");
        await ExecuteAsync("""
            INSERT INTO ledger (target, idempotency_key, state, mode, request, due, finished_at) VALUES
            ('bank', 'parked', 'parked', 'AtMostOnce', '{}', NULL, now()), ('bank', 'failed', 'failed', 'AtMostOnce', '{}', NULL, now()),
            ('bank', 'flying', 'in_flight', 'AtMostOnce', '{}', now() + interval '1 minute', NULL)
            """);
        Assert.Equal(["parked", "in_flight", "failed"], (await _sagas.JsonAsync("list", "calls")).EnumerateArray().Select(call => call.GetProperty("state").GetString()));

        Assert.Equal(1, (await _sagas.RunAsync("retry", "call", "failed")).ExitCode);
        Assert.Equal(4, (await _sagas.RunAsync("retry", "call", "unknown")).ExitCode);
        Assert.Equal("parked", (await _sagas.JsonAsync("retry", "call", "--all")).GetProperty("released")[0].GetProperty("key").GetString());

        var calls = (await _sagas.JsonAsync("list", "calls")).EnumerateArray().ToDictionary(call => call.GetProperty("key").GetString()!, call => call.GetProperty("state").GetString());
        Assert.Equal(new Dictionary<string, string?> { ["parked"] = "waiting", ["failed"] = "failed", ["flying"] = "in_flight" }, calls);
    }

    [Fact]
    public async Task A_parked_call_to_the_CRM_is_retried_with_its_customer_only()
    {
        await _sagas.RunAsync("migrate");
        var key = $"{SagaIdentity.Customer("ada"):D}/1";
        await ExecuteAsync($"""
            INSERT INTO customer_state (correlation_id, customer_id, current_state, sync_failure, registered_at, version, created_at, updated_at)
            VALUES ('{SagaIdentity.Customer("ada")}', 'ada', 'SyncFailed', 'no answer in time', now(), 1, now(), now());
            INSERT INTO ledger (target, idempotency_key, state, mode, request, correlation_id) VALUES ('crm', '{key}', 'parked', 'AtMostOnce', '{"{}"}', '{SagaIdentity.Customer("ada")}')
            """);

        var refused = await _sagas.RunAsync("retry", "call", key);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("sagas crm retry --id", refused.Error);
        Assert.Equal(0, (await _sagas.JsonAsync("retry", "call", "--all")).GetProperty("released").GetArrayLength());
        Assert.Equal("ada", (await _sagas.JsonAsync("list", "calls"))[0].GetProperty("customerId").GetString());

        var status = (await _sagas.JsonAsync("crm", "status"))[0];
        Assert.Equal(("SyncFailed", 1, "no answer in time"), (status.GetProperty("state").GetString(), status.GetProperty("customers").GetInt32(), status.GetProperty("reason").GetString()));
        Assert.Equal(4, (await _sagas.RunAsync("crm", "retry", "--id", "nobody")).ExitCode);
        var unheard = await _sagas.RunAsync("crm", "retry", "--all");
        Assert.Contains("Start the services first", unheard.Error);
        Assert.Equal(0, (await _sagas.JsonAsync("crm", "retry", "--registered")).GetProperty("retried").GetArrayLength());
    }

    [Fact]
    public async Task Messages_that_wait_are_listed_with_what_for()
    {
        await _sagas.RunAsync("migrate");
        await ExecuteAsync("""
            INSERT INTO outbox_message (message_id, batch_id, position, enqueue_time, destination_address, message_type, content_type, body, attempts, last_error)
            SELECT gen_random_uuid(), gen_random_uuid(), position, now() + due, 'rabbitmq://localhost/PaymentCompleted?type=fanout',
                   'urn:message:Sagas.Contracts:PaymentCompleted', 'application/json', '{}', attempts, error
            FROM (VALUES (0, interval '1 hour', 0, NULL), (0, interval '0', 0, NULL), (1, interval '0', 0, NULL), (0, interval '0', 3, 'broken pipe'))
                 AS m(position, due, attempts, error)
            """);

        var messages = (await _sagas.JsonAsync("list", "outbox")).EnumerateArray().ToList();

        Assert.Equal(["scheduled", "due", "behind", "failing"], messages.Select(message => message.GetProperty("state").GetString()));
        Assert.All(messages, message => Assert.Equal("PaymentCompleted", message.GetProperty("destination").GetString()));
        Assert.Equal("broken pipe", messages[3].GetProperty("why").GetString());
        Assert.Equal(1, (await _sagas.JsonAsync("list", "outbox", "--state", "failing")).GetArrayLength());
    }

    [Fact]
    public async Task Looking_at_dead_letters_however_often_loses_none_and_keeps_what_they_say()
    {
        await using var channel = await DeclareAsync("payment-saga");
        await PublishAsync(channel, "payment-saga_error", "first", "{ no json");
        await PublishAsync(channel, "payment-saga_error", "second", "{ nor this");

        // More often than RabbitMQ 4 delivers a message of a quorum queue before it drops it.
        for (var look = 0; look < 25; look++)
            Assert.Equal(["first", "second"], Ids(await LettersAsync(2)).Order());

        var letter = (await LettersAsync(2))[0];
        Assert.Equal("it is bad", letter.GetProperty("reason").GetString());
        BasicGetResult? delivery;
        using var patience = new CancellationTokenSource(Eventually.Timeout);
        while ((delivery = await channel.BasicGetAsync("payment-saga_error", autoAck: false, patience.Token)) is null)
            await Task.Delay(20, patience.Token);
        var looks = delivery.BasicProperties.Headers!.TryGetValue("x-delivery-count", out var count) ? Convert.ToInt64(count, null) : 0;
        Assert.InRange(looks, 0, 15);
    }

    [Fact]
    public async Task A_dead_letter_goes_back_once_as_it_first_came_and_the_others_stay()
    {
        await using var channel = await DeclareAsync("payment-saga");
        await PublishAsync(channel, "payment-saga_error", "first", """{"paymentId":"a"}""", ("MT-MessageType", "PaymentRequested"));
        await PublishAsync(channel, "payment-saga_error", "second", """{"paymentId":"b"}""", ("MT-MessageType", "PaymentRequested"));

        var moved = (await _sagas.JsonAsync("retry", "deadletter", "second")).GetProperty("moved");

        Assert.Equal(["second"], Ids(moved));
        Assert.Equal(["first"], Ids(await LettersAsync(1)));
        var delivery = (await channel.BasicGetAsync("payment-saga", autoAck: true))!;
        Assert.Equal("second", delivery.BasicProperties.MessageId);
        Assert.Equal("""{"paymentId":"b"}""", Encoding.UTF8.GetString(delivery.Body.Span));
        Assert.Equal("application/json", delivery.BasicProperties.ContentType);
        Assert.Contains("MT-MessageType", delivery.BasicProperties.Headers!.Keys);
        Assert.DoesNotContain(delivery.BasicProperties.Headers!.Keys, name => name.StartsWith("MT-Fault", StringComparison.Ordinal));
        Assert.Null(await channel.BasicGetAsync("payment-saga", autoAck: true));
        Assert.Equal(4, (await _sagas.RunAsync("retry", "deadletter", "second")).ExitCode);
    }

    [Fact]
    public async Task A_dead_letter_that_does_not_say_what_it_is_goes_back_only_when_a_person_says_so()
    {
        await using var channel = await DeclareAsync("payment-saga");
        await PublishAsync(channel, "payment-saga_error", null, """{"paymentId":"a"}""");
        var id = Ids(await _sagas.JsonAsync("list", "deadletters")).Single()!;

        CommandLineRun refused;
        do
            refused = await _sagas.RunAsync("retry", "deadletter", "--all");
        while (refused.Output.Contains("No dead letters.", StringComparison.Ordinal));
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("--as", refused.Error);
        Assert.Equal(id, Ids(await LettersAsync(1)).Single());

        await _sagas.JsonWhenAsync(_ => true, "retry", "deadletter", id, "--as", "PaymentRequested");
        var delivery = (await channel.BasicGetAsync("payment-saga", autoAck: true))!;
        Assert.Equal("PaymentRequested", Encoding.UTF8.GetString((byte[])delivery.BasicProperties.Headers!["MT-MessageType"]!));
        Assert.Empty(Ids(await LettersAsync(0)));
    }

    [Fact]
    public async Task Dead_letters_of_a_queue_that_is_gone_stay()
    {
        await using var channel = await DeclareAsync("billing");
        await PublishAsync(channel, "billing_error", "lost", "{}", ("MT-MessageType", "X"));
        await channel.QueueDeleteAsync("billing");

        var run = await _sagas.RunAsync("retry", "deadletter", "--all", "--queue", "billing");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("there is no queue billing", run.Error);
        Assert.Equal(["lost"], Ids(await LettersAsync(1, "--queue", "billing")));
    }

    // What somebody looked at is there again a moment later.
    private Task<System.Text.Json.JsonElement> LettersAsync(int count, params string[] more) =>
        _sagas.JsonWhenAsync(letters => letters.GetArrayLength() == count, ["list", "deadletters", .. more]);

    private static IEnumerable<string?> Ids(System.Text.Json.JsonElement letters) =>
        letters.EnumerateArray().Select(letter => letter.GetProperty("messageId").GetString());

    private static async Task PublishAsync(IChannel channel, string queue, string? id, string body, params (string Name, string Value)[] headers)
    {
        var properties = new BasicProperties
        {
            MessageId = id,
            ContentType = "application/json",
            Persistent = true,
            Headers = new Dictionary<string, object?> { ["MT-Reason"] = "fault", ["MT-Fault-Message"] = "it is bad" },
        };
        foreach (var (name, value) in headers)
            properties.Headers[name] = value;
        await channel.BasicPublishAsync("", queue, mandatory: true, properties, Encoding.UTF8.GetBytes(body));
    }

    private async Task<IChannel> DeclareAsync(string queue)
    {
        var channel = await _connection.CreateChannelAsync(new CreateChannelOptions(true, true));
        var quorum = new Dictionary<string, object?> { ["x-queue-type"] = "quorum" };
        await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, quorum);
        await channel.QueueDeclareAsync(queue + DeadLetter.ErrorSuffix, durable: true, exclusive: false, autoDelete: false, quorum);
        return channel;
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(_database.ConnectionString);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
