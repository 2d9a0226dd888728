using System.Globalization;
using System.Text.Json;
using Sagas.EndToEndTests.Processes;

namespace Sagas.EndToEndTests.Tests;

[Collection(SharedServers.Name)]
public sealed class DeadLetterTests(ServersFixture servers)
{
    private static readonly (string Exchange, string Body, string Reason)[] _bad =
    [
        ("PaymentRequested", "not JSON", "not JSON"),
        ("PaymentRequested", """{"customerId":"c","amount":1,"currency":"EUR"}""", "PaymentId is missing"),
        ("PaymentRequested", """{"paymentId":"p","customerId":"c","amount":-1,"currency":"EUR"}""", "Amount must be greater than zero"),
        ("PaymentRequested", """{"paymentId":"p","customerId":"c","amount":1,"currency":"XYZ"}""", "Currency must be"),
        ("CustomerRegistered", "[]", "must be a JSON object"),
        ("CustomerRegistered", """{"customerId":" "}""", "CustomerId must not be empty"),
    ];

    [Fact]
    public async Task Bad_messages_are_listed_with_their_reasons_and_good_ones_after_them_go_through()
    {
        await using var shared = await SharedSystem.StartAsync(servers, processes: 1);
        var system = shared.Running;
        var bad = _bad.Select(message => (Message: new PlainMessage(message.Exchange, message.Body), message.Reason)).ToArray();
        await PublishAsync(system, [.. bad.Select(one => one.Message)]);
        await PublishAsync(system, new PlainMessage("CustomerRegistered", """{"customerId":"good"}"""),
            new PlainMessage("PaymentRequested", """{"paymentId":"good","customerId":"good","amount":1,"currency":"EUR"}"""));

        await CompletedAsync(system, "good");
        var letters = (await LettersAsync(system, bad.Length)).ToDictionary(letter => letter.GetProperty("messageId").GetString()!);
        foreach (var (message, reason) in bad)
        {
            var letter = letters[message.MessageId];
            Assert.Contains(reason, letter.GetProperty("reason").GetString());
            Assert.Equal(message.Body, letter.GetProperty("body").GetString());
        }
    }

    [Fact]
    public async Task A_message_that_was_ahead_of_its_time_goes_through_when_it_is_retried_later()
    {
        await using var shared = await SharedSystem.StartAsync(servers, processes: 1, ("Messages:AllowedClockSkew", "00:00:00"));
        var system = shared.Running;
        var requestedAt = DateTimeOffset.UtcNow.AddHours(1);
        var early = new PlainMessage("PaymentRequested", string.Create(CultureInfo.InvariantCulture,
            $$"""{"paymentId":"early","customerId":"c","amount":5,"currency":"EUR","requestedAt":"{{requestedAt:O}}"}"""));
        await PublishAsync(system, early, new PlainMessage("CustomerRegistered", """{"customerId":"c"}"""));

        var letter = Assert.Single(await LettersAsync(system, 1));
        Assert.Contains("lies in the future", letter.GetProperty("reason").GetString());
        Assert.Equal("PaymentRequested", letter.GetProperty("message").GetString());
        // Its time comes by other clocks counting as right.
        Assert.Equal(0, await system.Service(1).TerminateAsync());
        system.Configure("Messages:AllowedClockSkew", "02:00:00");
        await (await system.StartServicesAsync(1)).ReadyAsync();
        await system.RunCommandAsync("retry", "deadletter", early.MessageId);

        await CompletedAsync(system, "early");
        Assert.Empty(await LettersAsync(system, 0));
    }

    private static async Task PublishAsync(RunningSystem system, params PlainMessage[] messages)
    {
        using var stop = new CancellationTokenSource(Eventually.Timeout);
        await Broker.PublishAsync(system.RabbitMq, messages, stop.Token);
    }

    private static Task CompletedAsync(RunningSystem system, string paymentId) =>
        Eventually.TrueAsync($"payment {paymentId} is completed", async () => await system.QueryAsync<long>(
            $"SELECT count(*) FROM payment_state WHERE payment_id = '{paymentId}' AND current_state = 'Completed'") == 1, Eventually.Timeout);

    private static async Task<JsonElement[]> LettersAsync(RunningSystem system, int count)
    {
        JsonElement[] letters = [];
        await Eventually.TrueAsync($"{count} dead letters are listed", async () =>
            (letters = [.. (await system.RunCommandAsync("list", "deadletters")).EnumerateArray()
                .DistinctBy(letter => letter.GetProperty("messageId").GetString())]).Length == count, Eventually.Timeout);
        return letters;
    }
}
