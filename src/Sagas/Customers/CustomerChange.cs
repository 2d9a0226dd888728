namespace Sagas.Customers;

/// <summary>What an event changes of a customer.</summary>
public enum CustomerChange
{
    /// <summary>Nothing: the event is outdated or a repetition, and leaves no history.</summary>
    None,

    /// <summary>The time of the data; not the time of the row's last change.</summary>
    Time,

    /// <summary>The status.</summary>
    Status,

    /// <summary>The data and the status.</summary>
    Data,
}
