using Sagas.Services.Files;

namespace Sagas.Services.Ingest;

/// <summary>Adds the lanes' progress up.</summary>
internal sealed class ProgressBoard(LaneProgress[] lanes, RecordReader reader, Action<IngestProgress>? told)
{
    private readonly Lock _lock = new();

    public FileCounts Counts => lanes.Aggregate(default(FileCounts), (sum, lane) => sum + lane.Counts);

    /// <summary>A lane has committed a batch.</summary>
    public void Committed(LaneProgress lane)
    {
        lock (_lock)
        {
            lanes[lane.Lane] = lane;
            told?.Invoke(new IngestProgress(Counts, Fraction()));
        }
    }

    // Of a compressed file only the reader knows how much of it there is; it is a batch ahead.
    private double Fraction()
    {
        var length = Math.Max(1, reader.FileLength);
        return reader.Format.IsCompressed
            ? (double)reader.FilePosition / length
            : lanes.Average(lane => Math.Min(1, (double)lane.Next.Offset / length));
    }
}
