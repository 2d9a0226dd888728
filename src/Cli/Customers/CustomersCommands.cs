using System.CommandLine;
using Sagas.Cli.CommandLine;

namespace Sagas.Cli.Customers;

/// <summary>Commands about customers, and what the CRM knows of them.</summary>
internal sealed class CustomersCommands : FeatureCommands
{
    /// <summary>The queue that consumes what these commands publish.</summary>
    public const string Queue = "customer-saga";

    public override string Title => "Customers and CRM";

    public override IEnumerable<Command> Create(Terminal terminal) =>
        [
            new SagasCommand("customers", "List, show, retry and publish customers.")
            {
                ListCustomers.Create(terminal),
                ShowCustomer.Create(terminal),
                RetryCustomers.Create(terminal),
                PublishCustomer.Create("publish", terminal),
            },
            PublishCustomer.Create("c", terminal),
        ];
}
