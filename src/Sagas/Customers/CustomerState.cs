using MassTransit;

namespace Sagas.Customers;

/// <summary>What is known of a customer: the row of <c>customer_state</c>.</summary>
public sealed class CustomerState : SagaStateMachineInstance
{
    /// <inheritdoc />
    public Guid CorrelationId { get; set; }

    /// <summary>The customer's id, as the producers send it.</summary>
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

    /// <summary>The system that sent the data held.</summary>
    public string? Source { get; set; }

    /// <summary>Time of the data held, UTC; an older registration does not overwrite them.</summary>
    public DateTimeOffset RegisteredAt { get; set; }

    /// <summary>Counts changes of the data, from 1.</summary>
    public int Version { get; set; }

    /// <summary>The version of the data that the CRM is known to have; null: none.</summary>
    public int? SyncedVersion { get; set; }

    /// <summary>
    /// Why the CRM rejected the data or the call was parked; null unless the customer is in state <c>SyncFailed</c>.
    /// </summary>
    public string? SyncFailure { get; set; }

    /// <summary>The file that the customer came in; null: a message brought it.</summary>
    public Guid? FileId { get; set; }

    /// <summary>When the row was created, UTC.</summary>
    public DateTimeOffset CreatedAt { get; set; }

    /// <summary>When the row changed last, UTC.</summary>
    public DateTimeOffset UpdatedAt { get; set; }

    internal CustomerStatus Status => new(CurrentState, Version, SyncedVersion, SyncFailure);

    internal CustomerData Data => new(FirstName, LastName, Email, Phone, RegisteredAt);

    internal void Hold(CustomerData data, string? source)
    {
        FirstName = data.FirstName;
        LastName = data.LastName;
        Email = data.Email;
        Phone = data.Phone;
        RegisteredAt = data.RegisteredAt;
        Source = source;
    }
}
