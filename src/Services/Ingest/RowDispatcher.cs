using Sagas.FileIntake.Records;
using Sagas.FileIntake.Storage;

namespace Sagas.Services.Ingest;

/// <summary>Reads the rows of a file once and distributes them to the partitions.</summary>
internal sealed class RowDispatcher(
    TableReader reader,
    CustomerRowReader rows,
    IngestPartition[] partitions,
    IngestOptions options,
    FileCounts before
)
{
    // A partition's first batches are small: progress shows early, and little is repeated after an early kill.
    private const int FirstBatchRows = 5000;

    // Rows between two checks of the partitions.
    private const int RowsPerCheck = 500;

    private long _rows = before.Rows;
    private long _rejected = before.Rejected;

    /// <summary>Reads to the end.</summary>
    /// <returns>Why it was not read to the end; null when it was.</returns>
    public async Task<string?> RunAsync(CancellationToken cancellationToken)
    {
        var start = partitions.Select(partition => partition.Start).MinBy(position => position.Offset);
        reader.MoveTo(start.Offset > 0 ? start : reader.Next);
        string? problem = null;
        while (problem is null && ReadRows(out problem))
        {
            cancellationToken.ThrowIfCancellationRequested();
            await FlushAsync(cancellationToken);
            problem = options.ProblemOfRejects(_rows, _rejected);
        }
        foreach (var partition in partitions)
        {
            // Even if the last rows were of other partitions.
            if (reader.Next.Offset > partition.Start.Offset)
                await partition.EndBatchAsync(reader.Next, cancellationToken);
        }
        return problem;
    }

    /// <summary>The partition of a customer: by its correlation id, which is uniformly distributed.</summary>
    /// <param name="correlationId">16 bytes.</param>
    /// <param name="partitions">A power of two, at most 16.</param>
    public static int PartitionOf(ReadOnlySpan<byte> correlationId, int partitions) =>
        (correlationId[0] >> 4) / (IngestOptions.MaxPartitions / partitions);

    // False at the end of the file or at damage; the rows before it are processed.
    private bool ReadRows(out string? problem)
    {
        Span<byte> correlationId = stackalloc byte[16];
        for (var count = 0; count < RowsPerCheck; count++)
        {
            if (!Read(out problem))
                return false;
            var rejected = rows.Read(out var row);
            if (rejected is null)
                SagaIdentity.WriteCustomer(row.CustomerId, correlationId);
            var partition = partitions[
                rejected is null ? PartitionOf(correlationId, partitions.Length) : (int)(rejected.Line % partitions.Length)
            ];
            // Processed before, by a run that was killed when other partitions were behind.
            if (reader.Position.Offset < partition.Start.Offset)
                continue;
            _rows++;
            if (rejected is null)
            {
                partition.Add(row, correlationId, reader.Position.Line);
                continue;
            }
            _rejected++;
            partition.Add(rejected);
        }
        problem = null;
        return true;
    }

    private bool Read(out string? problem)
    {
        problem = null;
        try
        {
            return reader.Read();
        }
        catch (InvalidDataException damaged)
        {
            problem = damaged.Message;
            return false;
        }
    }

    private async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        // Half of the previous size: few batches, so that each is a long sorted run of a second or two.
        var batch = Math.Clamp(_rows / partitions.Length / 2, FirstBatchRows, Math.Max(FirstBatchRows, options.MaxBatchRows));
        batch = Math.Min(batch, options.MaxBatchRows);
        foreach (var partition in partitions)
        {
            if (partition.IsBatch(batch) && reader.Next.Offset > partition.Start.Offset)
                await partition.EndBatchAsync(reader.Next, cancellationToken);
            else if (partition.IsFull)
                await partition.FlushAsync(cancellationToken);
        }
    }
}
