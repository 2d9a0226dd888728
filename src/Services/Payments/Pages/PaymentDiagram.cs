using Microsoft.Extensions.Options;
using Sagas.Payments;
using Sagas.Services.Operations.Pages;

namespace Sagas.Services.Payments.Pages;

/// <summary>The payment's state machine as a picture.</summary>
internal sealed class PaymentDiagram(IOptions<Sagas.Payments.RedeliveryOptions> options)
{
    public IReadOnlyList<StateEdge> Edges { get; } = StateDiagram.Of(new PaymentStateMachine(options));
}
