using Sagas.FileIntake.Records;

namespace Sagas.FileIntake.Storage;

/// <summary>The progress of one partition of a file: rows processed in order, in parallel to the other partitions.</summary>
/// <param name="Partition">Its number, from 0.</param>
/// <param name="Next">All rows of the partition before this position are processed.</param>
/// <param name="Counts">What was done with them.</param>
public sealed record PartitionProgress(int Partition, RecordPosition Next, FileCounts Counts);
