using Sagas.Simulators.Faults;

namespace Sagas.Simulators.PaymentGateway;

/// <summary>A payment gateway that accepts idempotency keys, and records every request.</summary>
internal static class PaymentGatewayEndpoints
{
    public static void AddPaymentGateway(this WebApplicationBuilder builder) =>
        builder.AddBooks<GatewayOptions, PaymentBooks>(GatewayOptions.Section);

    public static void MapPaymentGateway(this WebApplication app)
    {
        var options = app.Services.GetRequiredService<GatewayOptions>();
        // Opens the record file now, so that an unusable file fails the start and not the first payment.
        var books = app.Services.GetRequiredService<PaymentBooks>();
        var timeProvider = app.Services.GetRequiredService<TimeProvider>();
        var faults = new FaultInjector(options.Faults, timeProvider);
        var stopping = app.Lifetime.ApplicationStopping;

        var payments = app.MapGroup("/payments");
        payments.MapPost("", context => PayAsync(context, books, faults, timeProvider, stopping));
        payments.MapRecords(books.Records, (writer, record) => record.WriteTo(writer));
        payments.MapBooks(books.Summary, books.Clear, faults);
    }

    /// <summary>A caller that disconnects does not stop its payment, as with a real gateway.</summary>
    private static async Task PayAsync(
        HttpContext context,
        PaymentBooks books,
        FaultInjector faults,
        TimeProvider timeProvider,
        CancellationToken cancellationToken
    )
    {
        using var visit = faults.Enter();
        var request = await PaymentRequest.ReadAsync(context.Request, timeProvider.GetUtcNow(), context.RequestAborted);
        await visit.WaitHalfAsync(cancellationToken);
        var answer = books.Take(request, visit);
        await visit.WaitHalfAsync(cancellationToken);
        await answer.SendAsync(context, context.RequestAborted);
    }
}
