namespace Sagas.Persistence;

/// <summary>What a failed database operation says about the next attempt.</summary>
public enum DatabaseFault
{
    /// <summary>The exception does not come from the database.</summary>
    None,

    /// <summary>The server is unavailable, or another transaction was in the way: the same work succeeds later.</summary>
    Transient,

    /// <summary>
    /// The server rejects the login or lacks the database; an operator may be changing a password or restoring a backup.
    /// </summary>
    LoginRejected,

    /// <summary>The row exists: another process may have inserted it first.</summary>
    Duplicate,

    /// <summary>The data cannot be stored, so that repeating the same work fails again.</summary>
    InvalidData,

    /// <summary>Any other failure that the database reports, such as a missing table.</summary>
    Other,
}
