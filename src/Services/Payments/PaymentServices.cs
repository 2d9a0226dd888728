using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Sagas.Services.Ledger;

namespace Sagas.Services.Payments;

/// <summary>Registers what calls the payment gateway.</summary>
public static class PaymentServices
{
    /// <summary>Registers the gateway as a target of the ledger, with options from section <c>Payments</c>. Wrong options
    /// stop the start with <see cref="OptionsValidationException"/>.</summary>
    /// <param name="services">The services; <see cref="SagasDbContext"/> must be among them.</param>
    /// <param name="configuration">The configuration's root.</param>
    public static IServiceCollection AddPaymentServices(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<PaymentsOptions>().Bind(configuration.GetSection(PaymentsOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<PaymentsOptions>, PaymentsOptionsValidation>();
        return services.AddLedgerTarget<PaymentGateway>(PaymentGateway.TargetName);
    }

    /// <summary>Registers the consumer of <c>ProcessPayment</c> on queue <c>process-payment</c>.</summary>
    /// <param name="bus">The bus.</param>
    public static void AddPayments(this IBusRegistrationConfigurator bus)
    {
        ArgumentNullException.ThrowIfNull(bus);
        bus.AddConsumer<ProcessPaymentConsumer, ProcessPaymentConsumerDefinition>();
    }

    private sealed class PaymentsOptionsValidation : IValidateOptions<PaymentsOptions>
    {
        public ValidateOptionsResult Validate(string? name, PaymentsOptions options) =>
            options.Problems().ToArray() is { Length: > 0 } problems ? ValidateOptionsResult.Fail(problems) : ValidateOptionsResult.Success;
    }
}
