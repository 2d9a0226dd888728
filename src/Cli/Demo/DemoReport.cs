using Sagas.Cli.Database;
using Sagas.Cli.Show;

namespace Sagas.Cli.Demo;

/// <summary>What <c>--json</c> says of the demo.</summary>
/// <param name="PaymentId">The payment.</param>
/// <param name="CustomerId">Its customer.</param>
/// <param name="AttemptsBefore">How often the customer was looked for before they registered.</param>
/// <param name="CompletedAfterMs">From the registration's publication to the payment's completion, in milliseconds.</param>
/// <param name="Postgres">Connection string of the database, for as long as the demo runs.</param>
/// <param name="RabbitMq">Address of the broker; null: messages went through memory.</param>
/// <param name="Payment">All about the payment.</param>
/// <param name="Customer">The customer, with what the CRM has of them.</param>
internal sealed record DemoReport(
    string PaymentId,
    string CustomerId,
    int AttemptsBefore,
    long CompletedAfterMs,
    string Postgres,
    Uri? RabbitMq,
    PaymentDetails Payment,
    CustomerRow Customer);
