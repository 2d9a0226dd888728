using Sagas.FileIntake.Records;

namespace Sagas.Services.Alerts;

/// <summary>The rows of a file in batches, with those that a shorter version of the file had.</summary>
/// <param name="reader">The file, where it is continued.</param>
/// <param name="chain">The alerts before; null: not recorded.</param>
/// <param name="sentBefore">How many of the file's first alerts a shorter version had.</param>
internal sealed class AlertRows(AlertFileReader reader, AlertChain? chain, long sentBefore)
{
    private readonly List<AlertRow> _batch = [];
    private AlertChain? _chain = chain;

    /// <summary>The rows of the last batch.</summary>
    public IReadOnlyList<AlertRow> Batch => _batch;

    /// <summary>All alerts up to the end of the last batch.</summary>
    public AlertChain? Chain => _chain;

    /// <summary>Where the next batch starts.</summary>
    public RecordPosition Next => reader.Next;

    /// <summary>How much of the file has been read, from 0 to 1.</summary>
    public double Fraction => reader.Fraction;

    /// <summary>How many of the next alerts a shorter version had.</summary>
    public long LeftSentBefore => _chain is null ? 0 : Math.Max(0, sentBefore - _chain.Rows);

    /// <summary>Reads the next batch.</summary>
    /// <param name="maxRows">The most rows.</param>
    /// <returns>False at the end of the file.</returns>
    /// <exception cref="InvalidDataException">The file is damaged at its start.</exception>
    public bool ReadBatch(int maxRows)
    {
        _batch.Clear();
        try
        {
            while (_batch.Count < maxRows)
            {
                if (!reader.Read(out var row))
                    return false;
                _batch.Add(row with { WasSentBefore = LeftSentBefore > 0 });
                if (row.Alert is { } alert)
                    _chain = _chain?.With(alert, reader.IsCut);
            }
        }
        // The rows before the damage are enqueued; reading the next batch throws again.
        catch (InvalidDataException) when (_batch.Count > 0) { }

        return true;
    }
}
