using Sagas.Cli.Database;
using Sagas.Cli.Payments;

namespace Sagas.Cli.Demo;

/// <summary>The output of <c>--json</c> for the demo.</summary>
/// <param name="PaymentId">The payment.</param>
/// <param name="CustomerId">Its customer.</param>
/// <param name="AttemptsBefore">How often the saga looked for the customer before they registered.</param>
/// <param name="CompletedAfterMs">From the registration's publication to the payment's completion, in milliseconds.</param>
/// <param name="Postgres">Connection string of the database, for as long as the demo runs.</param>
/// <param name="RabbitMq">Address of the broker; null: messages went through memory.</param>
/// <param name="Payment">The payment.</param>
/// <param name="Customer">The customer.</param>
internal sealed record DemoReport(
    string PaymentId,
    string CustomerId,
    int AttemptsBefore,
    long CompletedAfterMs,
    string Postgres,
    Uri? RabbitMq,
    PaymentDetails Payment,
    CustomerRow Customer
);
