using Sagas.Contracts;

namespace Sagas.IntegrationTests.Payments.Races;

/// <summary>
/// The payment's transaction and its customer's, in every order that matters. A payment may have to wait when neither saw the
/// other, but never for longer than its next redelivery, and it is processed once.
/// </summary>
public sealed class PaymentMeetsCustomerTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    // Longer than any test: a payment that is processed earlier was released.
    private static readonly TimeSpan _long = TimeSpan.FromMinutes(30);

    private static readonly TimeSpan _short = TimeSpan.FromMilliseconds(100);

    private static readonly PaymentRequested _payment = new("p1", "c1", 12.50m, "EUR");

    private static readonly CustomerRegistered _customer = new("c1", "Ada", "Byron");

    [Fact]
    public async Task A_payment_that_commits_before_the_customer_looks_for_waiting_ones_is_released_at_once()
    {
        await using var race = await RaceHost.StartAsync(servers, _long);
        var customer = race.Pauses.ArmAt(RacePoint.CustomerIsAboutToRelease);
        await race.PublishAsync(_customer);
        await customer.ReachedAsync();
        await race.PublishAsync(_payment);
        await race.UntilPaymentIsAsync("AwaitingCustomer");

        customer.Release();

        await AssertProcessedOnceAsync(race, attempts: 1);
        await AssertReleasedAsync(race);
    }

    [Fact]
    public async Task A_payment_that_did_not_see_the_customer_and_commits_after_its_release_is_processed_by_its_next_redelivery()
    {
        await using var race = await RaceHost.StartAsync(servers, _short);
        var payment = race.Pauses.ArmAt(RacePoint.PaymentHasLooked);
        await race.PublishAsync(_payment);
        await payment.ReachedAsync();
        await race.PublishAsync(_customer);
        await race.UntilCustomerIsKnownAsync();

        payment.Release();

        await AssertProcessedOnceAsync(race, attempts: 1);
    }

    [Fact]
    public async Task A_payment_that_waits_before_an_uncommitted_release_could_see_it_is_processed_by_its_next_redelivery()
    {
        await using var race = await RaceHost.StartAsync(servers, _short);
        var customer = race.Pauses.ArmAt(RacePoint.CustomerHasReleased);
        var payment = race.Pauses.ArmAt(RacePoint.PaymentHasLooked);
        await race.PublishAsync(_customer);
        await customer.ReachedAsync();
        await race.PublishAsync(_payment);
        await payment.ReachedAsync();

        // The payment commits first, then the customer: each too late for the other.
        payment.Release();
        await race.UntilPaymentIsAsync("AwaitingCustomer");
        customer.Release();

        await AssertProcessedOnceAsync(race);
    }

    [Fact]
    public async Task A_payment_that_looks_again_while_its_customer_commits_is_redelivered_once_more()
    {
        await using var race = await RaceHost.StartAsync(servers, _short);
        await race.PublishAsync(_payment);
        await race.UntilPaymentIsAsync("AwaitingCustomer");
        var payment = race.Pauses.ArmAt(RacePoint.PaymentHasLooked);
        await payment.ReachedAsync();
        // It has looked and does not know the customer yet, whose message it consumes next.
        await race.PublishAsync(_customer);
        await race.UntilCustomerIsKnownAsync();
        var attempts = await race.QueryAsync<int>("SELECT attempts FROM payment_state");

        payment.Release();

        await AssertProcessedOnceAsync(race, attempts + 1);
    }

    [Fact]
    public async Task A_customer_whose_transaction_fails_releases_no_payment_until_it_succeeds()
    {
        await using var race = await RaceHost.StartAsync(servers, _long);
        await race.PublishAsync(_payment);
        await race.UntilPaymentIsAsync("AwaitingCustomer");
        var failing = race.Pauses.ArmAt(RacePoint.CustomerHasReleased, fail: true);
        await race.PublishAsync(_customer);
        await failing.ReachedAsync();
        var retried = race.Pauses.ArmAt(RacePoint.CustomerHasReleased);
        failing.Release();
        await retried.ReachedAsync();
        Assert.True(
            await race.QueryAsync<bool>("SELECT enqueue_time > now() FROM outbox_message WHERE schedule_token_id IS NOT NULL")
        );

        retried.Release();

        await AssertProcessedOnceAsync(race, attempts: 1);
        await AssertReleasedAsync(race);
    }

    [Fact]
    public async Task A_customer_releases_all_that_wait_for_it_long_before_their_redelivery()
    {
        const int Payments = 12;
        await using var race = await RaceHost.StartAsync(servers, _long);
        await Task.WhenAll(Enumerable.Range(1, Payments).Select(n => race.PublishAsync(_payment with { PaymentId = $"p{n}" })));
        await race.PublishAsync(_payment with { PaymentId = "other", CustomerId = "c2" });
        await race.UntilAsync($"(SELECT count(*) = {Payments + 1} FROM payments_waiting)");

        await race.PublishAsync(_customer);
        await race.UntilAsync($"(SELECT count(*) = {Payments} FROM payment_state WHERE current_state = 'Processing')");

        await AssertReleasedAsync(race);
        Assert.Equal("other", await race.QueryAsync<string>("SELECT payment_id FROM payments_waiting"));
    }

    // One history row per attempt: their number shows which redelivery ended the wait.
    private static async Task AssertProcessedOnceAsync(RaceHost race, int? attempts = null)
    {
        Assert.Equal(["p1"], await race.ProcessPaymentsAsync(1));
        Assert.Equal("Processing", await race.QueryAsync<string>("SELECT current_state FROM payment_state"));
        var found = await race.QueryAsync<int>("SELECT attempts FROM payment_state");
        if (attempts is not null)
            Assert.Equal(attempts, found);
        Assert.Equal(found + 1, await race.QueryAsync<long>("SELECT count(*) FROM saga_transition WHERE saga = 'payment_state'"));
    }

    private static async Task AssertReleasedAsync(RaceHost race) =>
        Assert.InRange(
            await race.QueryAsync<TimeSpan>(
                """
                SELECT max(p.occurred_at) - min(c.occurred_at) FROM saga_transition p, saga_transition c
                WHERE p.to_state = 'Processing' AND c.saga = 'customer_state'
                """
            ),
            TimeSpan.Zero,
            _long
        );
}
