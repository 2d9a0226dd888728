using System.Globalization;
using Sagas.Services.Files;

namespace Sagas.Services.Ingest;

/// <summary>Reads a file's rows once and deals them out to the lanes.</summary>
internal sealed class FileReading(RecordReader reader, CustomerRowReader rows, IngestLane[] lanes, IngestOptions options, FileCounts before)
{
    // Rows of a lane's first batches: soon there is something to see, and to go on from.
    private const int FirstBatchRows = 5000;

    // As many are read between two looks at the lanes.
    private const int RowsAtATime = 500;

    private long _rows = before.Rows;
    private long _rejected = before.Rejected;

    /// <summary>Reads to the end.</summary>
    /// <returns>Why it was not read to the end; null: it was.</returns>
    public async Task<string?> RunAsync(CancellationToken cancellationToken)
    {
        reader.MoveTo(lanes.Select(lane => lane.Start).MinBy(position => position.Offset) is { Offset: > 0 } start ? start : reader.Next);
        string? problem = null;
        while (problem is null && ReadSome(out problem))
        {
            cancellationToken.ThrowIfCancellationRequested();
            await FlushAsync(cancellationToken);
            problem = TooManyRejects();
        }
        foreach (var lane in lanes)
        {
            // Up to here also where the last rows were not the lane's.
            if (reader.Next.Offset > lane.Start.Offset)
                await lane.EndBatchAsync(reader.Next, cancellationToken);
        }
        return problem;
    }

    /// <summary>The lane of a customer: by its correlation id, which is as good as random.</summary>
    /// <param name="correlationId">16 bytes.</param>
    /// <param name="lanes">A power of two, at most 16.</param>
    public static int LaneOf(ReadOnlySpan<byte> correlationId, int lanes) => (correlationId[0] >> 4) / (IngestOptions.MostLanes / lanes);

    // False at the end of the file, or where it cannot be read any further: the rows before that place are taken all the same.
    private bool ReadSome(out string? problem)
    {
        Span<byte> correlationId = stackalloc byte[16];
        for (var count = 0; count < RowsAtATime; count++)
        {
            if (!Read(out problem))
                return false;
            var rejected = rows.Read(reader, out var row);
            if (rejected is null)
                SagaIdentity.WriteCustomer(row.CustomerId, correlationId);
            var lane = lanes[rejected is null ? LaneOf(correlationId, lanes.Length) : (int)(rejected.Line % lanes.Length)];
            // Done before, by a run that was killed when other lanes had not come as far.
            if (reader.Position.Offset < lane.Start.Offset)
                continue;
            _rows++;
            if (rejected is null)
            {
                lane.Add(row, correlationId, reader.Position.Line);
                continue;
            }
            _rejected++;
            lane.Add(rejected);
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
        // A batch is half of what came before it: few of them in all, so that they are sorted long runs, and each a second or two.
        var batch = Math.Clamp(_rows / lanes.Length / 2, FirstBatchRows, Math.Max(FirstBatchRows, options.MaxBatchRows));
        batch = Math.Min(batch, options.MaxBatchRows);
        foreach (var lane in lanes)
        {
            if (lane.IsBatch(batch) && reader.Next.Offset > lane.Start.Offset)
                await lane.EndBatchAsync(reader.Next, cancellationToken);
            else if (lane.IsFull)
                await lane.FlushAsync(cancellationToken);
        }
    }

    private string? TooManyRejects()
    {
        if (_rows < options.MinRowsToJudge || _rejected <= _rows * options.MaxRejectRatio)
            return null;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{_rejected:N0} of the first {_rows:N0} rows were rejected, more than the {options.MaxRejectRatio:P0} that are allowed (MaxRejectRatio).");
    }
}
