using MassTransit;

namespace Sagas.Customers;

/// <summary>What is known of a customer: the row of <c>customer_state</c>.</summary>
public sealed class CustomerState : SagaStateMachineInstance
{
    /// <inheritdoc />
    public Guid CorrelationId { get; set; }

    /// <summary>The customer's id, as the producers say it.</summary>
    public string CustomerId { get; set; } = "";

    /// <summary>Name of the state of <see cref="CustomerStateMachine"/>.</summary>
    public string CurrentState { get; set; } = "";

    /// <summary>Given name.</summary>
    public string? FirstName { get; set; }

    /// <summary>Family name.</summary>
    public string? LastName { get; set; }

    /// <summary>E-mail address.</summary>
    public string? Email { get; set; }

    /// <summary>Telephone number.</summary>
    public string? Phone { get; set; }

    /// <summary>The system that said so last.</summary>
    public string? Source { get; set; }

    /// <summary>Time of the data held, UTC; an older registration does not overwrite them.</summary>
    public DateTimeOffset RegisteredAt { get; set; }

    /// <summary>Counts changes of the data, from 1.</summary>
    public int Version { get; set; }

    /// <summary>The version of the data that the CRM is known to have; null: none.</summary>
    public int? SyncedVersion { get; set; }

    /// <summary>Why the CRM could not be told; null unless the customer is in state <c>SyncFailed</c>.</summary>
    public string? SyncFailure { get; set; }

    /// <summary>When the row was made, UTC.</summary>
    public DateTimeOffset CreatedAt { get; set; }

    /// <summary>When the row changed last, UTC.</summary>
    public DateTimeOffset UpdatedAt { get; set; }
}
