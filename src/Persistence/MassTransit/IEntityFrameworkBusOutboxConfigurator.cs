namespace MassTransit;

/// <summary>Configures the bus outbox.</summary>
public interface IEntityFrameworkBusOutboxConfigurator
{
    /// <summary>Runs no relay in this process; another must.</summary>
    void DisableDeliveryService();
}
