using System.Data;

namespace MassTransit;

/// <summary>Configures inbox, outbox and relay.</summary>
public interface IEntityFrameworkOutboxConfigurator
{
    /// <summary>Isolation level of a consume; read committed unless set.</summary>
    IsolationLevel IsolationLevel { set; }

    /// <summary>How long a consumed message is remembered; 7 days unless set.</summary>
    TimeSpan DuplicateDetectionWindow { set; }

    /// <summary>How many messages that are consumed at the same time share a transaction at most; 64 unless set, and 1 gives each
    /// its own.</summary>
    int MaxGroupSize { set; }

    /// <summary>How often the relay looks for messages when nothing wakes it; 100 ms unless set.</summary>
    TimeSpan QueryDelay { set; }

    /// <summary>How many transactions' messages the relay takes at a time; 500 unless set.</summary>
    int QueryMessageLimit { set; }

    /// <summary>How long a query of the relay may take; 30 s unless set.</summary>
    TimeSpan QueryTimeout { set; }

    /// <summary>Stores what is published or sent in a scope outside consumers with the scope's context.</summary>
    /// <param name="configure">Options of the bus outbox.</param>
    void UseBusOutbox(Action<IEntityFrameworkBusOutboxConfigurator>? configure = null);

    /// <summary>Keeps inbox rows without end.</summary>
    void DisableInboxCleanupService();
}
