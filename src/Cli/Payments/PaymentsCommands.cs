using System.CommandLine;
using Sagas.Cli.CommandLine;

namespace Sagas.Cli.Payments;

/// <summary>Commands about payments.</summary>
internal sealed class PaymentsCommands : FeatureCommands
{
    /// <summary>The queue that consumes what these commands publish.</summary>
    public const string Queue = "payment-saga";

    public override string Title => "Payments";

    public override IEnumerable<Command> Create(Terminal terminal) =>
        [
            new SagasCommand("payments", "List, show, revive and publish payments.")
            {
                ListPayments.Create(terminal),
                ShowPayment.Create(terminal),
                RevivePaymentCommand.Create(terminal),
                PublishPayment.Create("publish", terminal),
            },
            PublishPayment.Create("p", terminal),
        ];
}
