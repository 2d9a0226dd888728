using System.Globalization;
using System.Text.Json;
using Sagas.EndToEndTests.Processes;

namespace Sagas.EndToEndTests.CommandLine;

[Collection(SharedServers.Name)]
public sealed class DeadLetterTests(OneProcess process)
{
    private static readonly (string Exchange, string Body, string Reason)[] _bad =
    [
        ("PaymentRequested", "not JSON", "not JSON"),
        ("PaymentRequested", """{"customerId":"c","amount":1,"currency":"EUR"}""", "PaymentId is missing"),
        (
            "PaymentRequested",
            """{"paymentId":"p","customerId":"c","amount":-1,"currency":"EUR"}""",
            "Amount must be greater than zero"
        ),
        ("PaymentRequested", """{"paymentId":"p","customerId":"c","amount":1,"currency":"XYZ"}""", "Currency must be"),
        ("CustomerRegistered", "[]", "must be a JSON object"),
        ("CustomerRegistered", """{"customerId":" "}""", "CustomerId must not be empty"),
    ];

    [Fact]
    public async Task Invalid_messages_are_listed_with_their_reasons_and_valid_ones_after_them_are_consumed()
    {
        var system = await process.StartedAsync();
        var bad = _bad.Select(message => (Message: new PlainMessage(message.Exchange, message.Body), message.Reason)).ToArray();
        await PublishAsync(system, [.. bad.Select(one => one.Message)]);
        await PublishAsync(
            system,
            new PlainMessage("CustomerRegistered", """{"customerId":"good"}"""),
            new PlainMessage("PaymentRequested", """{"paymentId":"good","customerId":"good","amount":1,"currency":"EUR"}""")
        );

        await CompletedAsync(system, "good");
        var letters = await LettersAsync(system, [.. bad.Select(one => one.Message.MessageId)]);
        foreach (var (message, reason) in bad)
        {
            var letter = letters[message.MessageId];
            Assert.Contains(reason, letter.GetProperty("reason").GetString());
            Assert.Equal(message.Body, letter.GetProperty("body").GetString());
        }
    }

    [Fact]
    public async Task A_message_dated_in_the_future_is_consumed_when_it_is_retried_later()
    {
        var system = await process.StartedAsync();
        var requestedAt = DateTimeOffset.UtcNow.AddHours(1);
        var early = new PlainMessage(
            "PaymentRequested",
            string.Create(
                CultureInfo.InvariantCulture,
                $$"""{"paymentId":"early","customerId":"early","amount":5,"currency":"EUR","requestedAt":"{{requestedAt:O}}"}"""
            )
        );
        await PublishAsync(system, early, new PlainMessage("CustomerRegistered", """{"customerId":"early"}"""));

        var letter = (await LettersAsync(system, early.MessageId))[early.MessageId];
        Assert.Contains("lies in the future", letter.GetProperty("reason").GetString());
        Assert.Equal("PaymentRequested", letter.GetProperty("message").GetString());
        // A larger clock skew makes its time acceptable.
        await system.StopServicesAsync();
        system.Configure("Messages:MaxClockSkew", "02:00:00");
        await system.StartReadyAsync(processes: 1);
        await system.RunCommandAsync("deadletters", "retry", early.MessageId);

        await CompletedAsync(system, "early");
        Assert.DoesNotContain(early.MessageId, await ListAsync(system));
    }

    private static Task PublishAsync(RunningSystem system, params PlainMessage[] messages) =>
        Broker.PublishAsync(system.RabbitMq, messages, Eventually.Cancellation());

    private static Task CompletedAsync(RunningSystem system, string paymentId) =>
        Eventually.EqualAsync(
            "Completed",
            () =>
                system.QueryAsync<string>(
                    $"SELECT coalesce(max(current_state), '') FROM payment_state WHERE payment_id = '{paymentId}'"
                )
        );

    private static Task<Dictionary<string, JsonElement>> LettersAsync(RunningSystem system, params string[] messageIds) =>
        Eventually.MatchesAsync(
            "the dead letters are listed",
            () => ListAsync(system),
            letters => messageIds.All(letters.ContainsKey)
        );

    // A message that two consumers rejected is listed twice.
    private static async Task<Dictionary<string, JsonElement>> ListAsync(RunningSystem system) =>
        (await system.RunCommandAsync("deadletters", "list"))
            .EnumerateArray()
            .DistinctBy(letter => letter.GetProperty("messageId").GetString())
            .ToDictionary(letter => letter.GetProperty("messageId").GetString()!);
}
