using Sagas.FileIntake;
using Sagas.FileIntake.Records;
using Sagas.FileIntake.Storage;

namespace Sagas.Services.Ingest;

/// <summary>Sums the progress of the partitions.</summary>
internal sealed class ProgressTracker(PartitionProgress[] partitions, TableReader table, Action<FileProgress>? changed)
{
    private readonly Lock _lock = new();

    public FileCounts Counts => partitions.Aggregate(default(FileCounts), (sum, partition) => sum + partition.Counts);

    /// <summary>Records the commit of a batch.</summary>
    public void Committed(PartitionProgress partition)
    {
        lock (_lock)
        {
            partitions[partition.Partition] = partition;
            changed?.Invoke(new FileProgress(Counts, Fraction()));
        }
    }

    // In a compressed file only the reader, which is a batch ahead, knows its position on disk.
    private double Fraction()
    {
        var length = Math.Max(1, table.FileLength);
        return table.Format.IsCompressed
            ? (double)table.FilePosition / length
            : partitions.Average(partition => Math.Min(1, (double)partition.Next.Offset / length));
    }
}
