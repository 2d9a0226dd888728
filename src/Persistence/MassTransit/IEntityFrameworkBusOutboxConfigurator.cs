namespace MassTransit;

/// <summary>Configures the bus outbox.</summary>
public interface IEntityFrameworkBusOutboxConfigurator
{
    /// <summary>How many transactions' messages the relay sends at the same time; 500 unless set.</summary>
    int MessageDeliveryLimit { set; }

    /// <summary>
    /// How long the broker may take over one transaction's messages before they are sent again; 10 s unless set.
    /// </summary>
    TimeSpan MessageDeliveryTimeout { set; }

    /// <summary>Runs no relay in this process; another must.</summary>
    void DisableDeliveryService();
}
