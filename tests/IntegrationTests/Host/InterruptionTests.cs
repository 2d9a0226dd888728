using System.Net;
using RabbitMQ.Client;

namespace Sagas.IntegrationTests.Host;

/// <summary>One host whose database and broker are killed; each test leaves all three running.</summary>
[Collection(nameof(KillableServers))]
public sealed class InterruptionTests(KillableServers servers, InterruptionTests.Shared shared)
    : IClassFixture<InterruptionTests.Shared>
{
    private const string Key = "a-key-that-is-long-enough";

    private static readonly Uri _ready = new("/health/ready", UriKind.Relative);
    private static readonly Uri _live = new("/health/live", UriKind.Relative);

    private static async Task PublishCustomersAsync(TestSystem system, string prefix, int from, int to)
    {
        await using var channel = await system.OpenChannelAsync();
        await Task.WhenAll(
            Enumerable
                .Range(from, to - from)
                .Select(number =>
                    channel
                        .BasicPublishAsync(
                            "CustomerRegistered",
                            "",
                            mandatory: true,
                            new BasicProperties { Persistent = true, MessageId = $"{Guid.NewGuid()}" },
                            System.Text.Encoding.UTF8.GetBytes($$"""{"customerId":"{{prefix}}-{{number}}"}""")
                        )
                        .AsTask()
                )
        );
    }

    private static string Customers(string prefix) => $"SELECT count(*) FROM customer_state WHERE customer_id LIKE '{prefix}-%'";

    private static async Task<HttpStatusCode> StatusAsync(TestSystem system, Uri path)
    {
        using var response = await system.Http.GetAsync(path);
        return response.StatusCode;
    }

    private async Task<TestSystem> ReadySystemAsync()
    {
        var system = await shared.StartedAsync();
        await Eventually.EqualAsync(HttpStatusCode.OK, () => StatusAsync(system, _ready));
        return system;
    }

    [PrivateServersFact]
    public async Task Messages_wait_for_an_unavailable_database_and_none_is_given_up()
    {
        var system = await ReadySystemAsync();
        await using var letters = await system.ReadDeadLettersAsync("customer-saga");
        await PublishCustomersAsync(system, "waits", 0, 20);
        await servers.Postgres.KillAsync();
        try
        {
            await PublishCustomersAsync(system, "waits", 20, 100);
            await Eventually.EqualAsync(HttpStatusCode.ServiceUnavailable, () => StatusAsync(system, _ready));
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(system, _live));
        }
        finally
        {
            await servers.Postgres.StartAgainAsync();
        }
        await system.WaitForAsync(Customers("waits"), 100L);
        Assert.True(letters.IsEmpty);
        await Eventually.EqualAsync(HttpStatusCode.OK, () => StatusAsync(system, _ready));
    }

    [PrivateServersFact]
    public async Task While_the_database_is_unavailable_callers_get_503_and_Retry_After()
    {
        var system = await ReadySystemAsync();
        await servers.Postgres.KillAsync();
        try
        {
            foreach (var path in (string[])["/files/customers", "/files/alerts", "/operations/crm/retry", "/retry"])
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent("id\n1\n") };
                request.Headers.Add("X-Api-Key", Key);
                using var response = await system.Http.SendAsync(request);
                var detail = await Problem.ReadDetailAsync(response, HttpStatusCode.ServiceUnavailable);
                Assert.Contains("again", detail, StringComparison.Ordinal);
                Assert.NotNull(response.Headers.RetryAfter);
            }
        }
        finally
        {
            await servers.Postgres.StartAgainAsync();
        }
    }

    [PrivateServersFact]
    public async Task Stopping_while_the_database_is_unavailable_returns_the_messages_to_their_queue()
    {
        var system = await ReadySystemAsync();
        await using var letters = await system.ReadDeadLettersAsync("customer-saga");
        await servers.Postgres.KillAsync();
        try
        {
            await PublishCustomersAsync(system, "returns", 0, 50);
            await system.StopAsync().WaitAsync(Eventually.Timeout);
        }
        finally
        {
            await servers.Postgres.StartAgainAsync();
        }
        await system.StartAsync();
        await system.WaitForAsync(Customers("returns"), 50L);
        Assert.True(letters.IsEmpty);
    }

    [PrivateServersFact]
    public async Task A_broker_restart_loses_no_message()
    {
        var system = await ReadySystemAsync();
        await PublishCustomersAsync(system, "kept", 0, 100);
        await servers.RabbitMq.KillAsync();
        await servers.RabbitMq.StartAgainAsync();
        await system.WaitForAsync(Customers("kept"), 100L);
    }

    /// <summary>The shutdown timeout exceeds the test's: a shutdown that waits for the database fails the test.</summary>
    public sealed class Shared : SharedSystem
    {
        private readonly DirectoryInfo _uploads;

        public Shared(KillableServers servers)
            : this(servers, Directory.CreateTempSubdirectory("uploads")) { }

        private Shared(KillableServers servers, DirectoryInfo uploads)
            : base(
                servers,
                ("ShutdownTimeout", "00:10:00"),
                ("Operations:ApiKey", Key),
                ("Ingest:UploadFolder", uploads.FullName)
            ) => _uploads = uploads;

        public override async Task DisposeAsync()
        {
            await base.DisposeAsync();
            _uploads.Delete(recursive: true);
        }
    }
}
