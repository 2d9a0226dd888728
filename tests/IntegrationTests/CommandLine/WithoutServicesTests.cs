using System.Text;
using Npgsql;
using RabbitMQ.Client;
using Sagas.Cli.Broker;
using Sagas.Services.Messages;

namespace Sagas.IntegrationTests.CommandLine;

/// <summary>Running servers on which the services never ran.</summary>
public sealed class WithoutServicesTests(ServersFixture servers) : CommandLineTest(servers), IClassFixture<ServersFixture>
{
    private IConnection _connection = null!;

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        _connection = await Broker.ConnectAsync(VirtualHost.Uri);
    }

    public override async Task DisposeAsync()
    {
        await _connection.DisposeAsync();
        await base.DisposeAsync();
    }

    [Theory]
    [InlineData("c", "4711")]
    [InlineData("p", "4711")]
    public async Task Nothing_is_published_without_a_receiver(params string[] args)
    {
        var run = await Runner.RunAsync(args);

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("Start the services first", run.Error);
        Assert.Empty(run.Output);
    }

    [Fact]
    public async Task A_queue_that_is_not_bound_does_not_count_as_a_receiver()
    {
        await using var channel = await _connection.CreateChannelAsync();
        await channel.QueueDeclareAsync("payment-saga", durable: true, exclusive: false, autoDelete: false);
        await channel.ExchangeDeclareAsync("PaymentRequested", ExchangeType.Fanout, durable: true);

        var run = await Runner.RunAsync("p", "4711");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("no queue is bound", run.Error);
    }

    // More than are in flight to the broker at a time.
    [Fact]
    public async Task Many_messages_are_published_and_each_arrives_once()
    {
        await using var channel = await DeclareAsync("customer-saga");
        await channel.ExchangeDeclareAsync("CustomerRegistered", ExchangeType.Fanout, durable: true);
        await channel.QueueBindAsync("customer-saga", "CustomerRegistered", "");

        var published = await Runner.JsonAsync("c", "load", "--count", "1100");

        Assert.Equal(1100, published.GetProperty("messages").GetArrayLength());
        var arrived = new HashSet<string?>();
        while (arrived.Count < 1100)
            Assert.True(arrived.Add((await Broker.TakeAsync(channel, "customer-saga")).BasicProperties.MessageId));
        Assert.Equal(0u, await Broker.CountAsync(_connection, "customer-saga"));
    }

    [Fact]
    public async Task A_database_without_tables_is_reported_and_can_be_migrated()
    {
        await using var empty = await Servers.CreateEmptyDatabaseAsync("cli");
        var sagas = new CommandLineRunner(empty.ConnectionString, VirtualHost.Uri);
        var before = await sagas.RunAsync("payments", "list");
        Assert.Equal(1, before.ExitCode);
        Assert.Contains("sagas migrate", before.Error);

        Assert.Contains(
            "001_persistence",
            (await sagas.JsonAsync("migrate")).GetProperty("applied").EnumerateArray().Select(name => name.GetString())
        );
        Assert.Empty((await sagas.JsonAsync("migrate")).GetProperty("applied").EnumerateArray());
        Assert.Equal(0, (await sagas.JsonAsync("payments", "list")).GetArrayLength());
        Assert.Equal(4, (await sagas.RunAsync("payments", "show", "invoice-8")).ExitCode);
        Assert.Equal(4, (await sagas.RunAsync("customers", "show", "4711")).ExitCode);
        Assert.Equal(4, (await sagas.RunAsync("payments", "revive", "invoice-8")).ExitCode);
        Assert.Equal(4, (await sagas.RunAsync("calls", "retry", "invoice-8")).ExitCode);
    }

    [Fact]
    public async Task Watching_ends_with_exit_code_0_on_Ctrl_C()
    {
        var run = await Runner.StopOnOutputAsync("payments", "list", "--watch");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("No payments.", run.Output);
    }

    [Fact]
    public async Task Waiting_messages_are_listed_with_the_reason()
    {
        // Inserted by SQL, since a relay would publish them before the test could list them.
        await ExecuteAsync(
            """
            INSERT INTO outbox_message (message_id, batch_id, position, enqueue_time, destination_address, message_type,
                                        content_type, body, attempts, last_error)
            SELECT gen_random_uuid(), gen_random_uuid(), position, now() + due,
                   'rabbitmq://localhost/PaymentCompleted?type=fanout', 'urn:message:Sagas.Contracts:PaymentCompleted',
                   'application/json', '{}', attempts, error
            FROM (VALUES
                (0, interval '1 hour', 0, NULL),
                (0, interval '0', 0, NULL),
                (1, interval '0', 0, NULL),
                (0, interval '0', 3, 'broken pipe')
            ) AS m(position, due, attempts, error)
            """
        );

        var messages = (await Runner.JsonAsync("outbox", "list")).EnumerateArray().ToList();

        Assert.Equal(
            ["scheduled", "due", "behind", "failing"],
            messages.Select(message => message.GetProperty("state").GetString())
        );
        Assert.All(messages, message => Assert.Equal("PaymentCompleted", message.GetProperty("destination").GetString()));
        Assert.Equal("broken pipe", messages[3].GetProperty("why").GetString());
        Assert.Equal(1, (await Runner.JsonAsync("outbox", "list", "--state", "failing")).GetArrayLength());
    }

    [Fact]
    public async Task Listing_dead_letters_repeatedly_loses_none_and_keeps_their_content()
    {
        await using var channel = await DeclareAsync("payment-saga");
        await PublishAsync(channel, "payment-saga_error", "first", "{ no json");
        await PublishAsync(channel, "payment-saga_error", "second", "{ nor this");

        // More often than RabbitMQ 4 delivers a message of a quorum queue before it drops it.
        for (var look = 0; look < 21; look++)
            Assert.Equal(["first", "second"], Ids(await LettersAsync(2)).Order());

        var letter = (await LettersAsync(2))[0];
        Assert.Equal("it is bad", letter.GetProperty("reason").GetString());
        var delivery = await Broker.TakeAsync(channel, "payment-saga_error", autoAck: false);
        var looks = delivery.BasicProperties.Headers!.TryGetValue("x-delivery-count", out var count)
            ? Convert.ToInt64(count, null)
            : 0;
        Assert.InRange(looks, 0, 15);
    }

    [Fact]
    public async Task A_retried_dead_letter_returns_once_unchanged_and_the_others_stay()
    {
        await using var channel = await DeclareAsync("payment-saga");
        await PublishAsync(
            channel,
            "payment-saga_error",
            "first",
            """{"paymentId":"a"}""",
            ("MT-MessageType", "PaymentRequested")
        );
        await PublishAsync(
            channel,
            "payment-saga_error",
            "second",
            """{"paymentId":"b"}""",
            ("MT-MessageType", "PaymentRequested"),
            // Asks the broker for a copy in this queue.
            ("CC", new List<object?> { "payment-saga_error" })
        );

        var moved = (await Runner.JsonOnceDoneAsync("deadletters", "retry", "second")).GetProperty("moved");

        Assert.Equal(["second"], Ids(moved));
        Assert.Equal(["first"], Ids(await LettersAsync(1)));
        var delivery = await Broker.TakeAsync(channel, "payment-saga");
        Assert.Equal("second", delivery.BasicProperties.MessageId);
        Assert.Equal("""{"paymentId":"b"}""", Encoding.UTF8.GetString(delivery.Body.Span));
        Assert.Equal("application/json", delivery.BasicProperties.ContentType);
        Assert.Contains("MT-MessageType", delivery.BasicProperties.Headers!.Keys);
        Assert.DoesNotContain(
            delivery.BasicProperties.Headers!.Keys,
            name => name.StartsWith("MT-Fault", StringComparison.Ordinal)
        );
        Assert.Null(await channel.BasicGetAsync("payment-saga", autoAck: true));
        Assert.Equal(4, (await Runner.RunAsync("deadletters", "retry", "second")).ExitCode);
    }

    [Fact]
    public async Task A_dead_letter_without_a_message_type_is_retried_only_with_a_given_one()
    {
        await using var channel = await DeclareAsync("payment-saga");
        await PublishAsync(channel, "payment-saga_error", null, """{"paymentId":"a"}""");
        var id = Ids(await LettersAsync(1)).Single()!;

        var rejected = await Eventually.MatchesAsync(
            "the letter is back in its queue",
            () => Runner.RunAsync("deadletters", "retry", "--all"),
            run => !run.Output.Contains("No dead letters.", StringComparison.Ordinal)
        );
        Assert.Equal(1, rejected.ExitCode);
        Assert.Contains("--as", rejected.Error);
        Assert.Equal(id, Ids(await LettersAsync(1)).Single());

        await Runner.JsonOnceDoneAsync("deadletters", "retry", id, "--as", "PaymentRequested");
        var delivery = await Broker.TakeAsync(channel, "payment-saga");
        Assert.Equal("PaymentRequested", Encoding.UTF8.GetString((byte[])delivery.BasicProperties.Headers!["MT-MessageType"]!));
        Assert.Empty(Ids(await LettersAsync(0)));
    }

    [Fact]
    public async Task Dead_letters_of_a_deleted_queue_stay()
    {
        await using var channel = await DeclareAsync("billing");
        await PublishAsync(channel, "billing_error", "lost", "{}", ("MT-MessageType", "X"));
        await channel.QueueDeleteAsync("billing");

        var run = await Runner.RunAsync("deadletters", "retry", "--all", "--queue", "billing");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("the queue billing, where they failed, does not exist", run.Error);
        Assert.Equal(["lost"], Ids(await LettersAsync(1, "--queue", "billing")));
    }

    // Listed messages return to the queue a moment later.
    private Task<System.Text.Json.JsonElement> LettersAsync(int count, params string[] more) =>
        Runner.JsonWhenAsync(letters => letters.GetArrayLength() == count, ["deadletters", "list", .. more]);

    private static IEnumerable<string?> Ids(System.Text.Json.JsonElement letters) =>
        letters.EnumerateArray().Select(letter => letter.GetProperty("messageId").GetString());

    private static async Task PublishAsync(
        IChannel channel,
        string queue,
        string? id,
        string body,
        params (string Name, object? Value)[] headers
    )
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
        await channel.QueueDeclareAsync(
            queue + DeadLetterName.ErrorSuffix,
            durable: true,
            exclusive: false,
            autoDelete: false,
            quorum
        );
        return channel;
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(Database.ConnectionString);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
