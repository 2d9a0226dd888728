namespace Sagas.FileIntake.Storage;

/// <summary>What was done with the rows of a file.</summary>
/// <param name="Rows">Rows processed, rejected ones included.</param>
/// <param name="Rejected">Rows that are invalid.</param>
/// <param name="Added">Rows that added something new: a customer, an alert.</param>
/// <param name="Changed">Rows that changed something known.</param>
public readonly record struct FileCounts(long Rows, long Rejected, long Added, long Changed)
{
    /// <summary>Rows that changed nothing.</summary>
    public long Unchanged => Rows - Rejected - Added - Changed;

    /// <summary>Adds two counts.</summary>
    public static FileCounts operator +(FileCounts left, FileCounts right) =>
        new(left.Rows + right.Rows, left.Rejected + right.Rejected, left.Added + right.Added, left.Changed + right.Changed);
}
