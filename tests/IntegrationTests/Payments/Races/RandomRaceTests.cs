using Sagas.Contracts;
using Xunit.Abstractions;

namespace Sagas.IntegrationTests.Payments.Races;

public sealed class RandomRaceTests(ServersFixture servers, ITestOutputHelper output) : IClassFixture<ServersFixture>
{
    private const int Payments = 120;
    private const int Customers = 60;

    [Fact]
    public async Task Payments_and_customers_in_any_order_end_with_every_payment_processed_once()
    {
        await using var race = await RaceHost.StartAsync(servers, TimeSpan.FromMilliseconds(200));
        var seed = TestSeed.Take(output);
        var messages = Messages();
        new Random(seed).Shuffle(messages);

        await Parallel.ForEachAsync(
            messages,
            new ParallelOptions { MaxDegreeOfParallelism = 16 },
            async (publish, _) => await publish(race)
        );
        await race.UntilAsync(
            $"(SELECT count(*) = {Payments} AND count(*) FILTER (WHERE current_state <> 'Processing') = 0 FROM payment_state)"
        );

        var processed = await race.ProcessPaymentsAsync(Payments);
        Assert.Equal((Payments, Payments), (processed.Length, processed.Distinct().Count()));
        Assert.Equal(0, await race.QueryAsync<long>("SELECT count(*) FROM payments_waiting"));
        Assert.Equal(Customers, await race.QueryAsync<long>("SELECT count(*) FROM customer_state WHERE version = 1"));

        // Counted from when both are known: at most the last delay and the time that a busy machine may need.
        Assert.Empty(
            await race.QueryAsync<string[]>(
                $$"""
                SELECT coalesce(array_agg(s.payment_id), '{}') FROM payment_state s
                JOIN customer_state c USING (customer_id)
                JOIN saga_transition known ON known.correlation_id = c.correlation_id AND known.from_state IS NULL
                JOIN saga_transition processed
                    ON processed.correlation_id = s.correlation_id AND processed.to_state = 'Processing'
                WHERE processed.occurred_at - greatest(known.occurred_at, s.created_at)
                    > least(s.attempts * interval '200 milliseconds', interval '2 seconds')
                        + interval '{{Eventually.Timeout.TotalSeconds}} seconds'
                """
            )
        );
    }

    // Each payment and each customer, and every fifth of them twice.
    private static Func<RaceHost, Task>[] Messages()
    {
        var payments = Enumerable
            .Range(0, Payments)
            .Select(n => new PaymentRequested($"p{n}", $"c{n % Customers}", 10 + n, "EUR"));
        var customers = Enumerable.Range(0, Customers).Select(n => new CustomerRegistered($"c{n}", "Ada"));
        return
        [
            .. payments.SelectMany(
                (message, n) => Enumerable.Repeat<Func<RaceHost, Task>>(race => race.PublishAsync(message), n % 5 == 0 ? 2 : 1)
            ),
            .. customers.SelectMany(
                (message, n) => Enumerable.Repeat<Func<RaceHost, Task>>(race => race.PublishAsync(message), n % 5 == 0 ? 2 : 1)
            ),
        ];
    }
}
