namespace MassTransit.EntityFrameworkCoreIntegration;

/// <summary>
/// The numbers of the advisory locks in the database, all in one place so that each is used for one thing. The values have no meaning.
/// </summary>
public static class AdvisoryLocks
{
    /// <summary>Old inbox rows are removed by one process at a time.</summary>
    public const string InboxCleanup = "7230001";

    /// <summary>The schema is migrated by one process at a time.</summary>
    public const string Migration = "7230002";

    /// <summary>Files are read by one process at a time; the second number is the file's.</summary>
    public const string File = "7230003";

    /// <summary>Customers from files are written by one transaction at a time; the second number is their bucket.</summary>
    public const string CustomerBucket = "7230004";

    /// <summary>Digests of one user take turns; the second number is the user's.</summary>
    public const string AlarmDigest = "7230005";

    /// <summary>Old alarms and digests are removed by one process at a time.</summary>
    public const string AlarmHousekeeping = "7230006";

    /// <summary>Objects that have not been seen for a while are removed by one process at a time.</summary>
    public const string ObjectSweep = "7230007";

    /// <summary>Queues are declared by one process at a time.</summary>
    public const string QueueDeployment = "7230008";
}
