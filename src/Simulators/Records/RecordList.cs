namespace Sagas.Simulators.Records;

/// <summary>
/// Records in blocks, so that growing copies none and a reader can walk a snapshot while more are added. Adding is for
/// one thread at a time.
/// </summary>
internal sealed class RecordList<TRecord>
{
    private const int BlockSize = 1024;
    private readonly List<TRecord[]> _blocks = [];
    private int _count;

    public void Add(in TRecord record)
    {
        if (_count == _blocks.Count * BlockSize)
            _blocks.Add(new TRecord[BlockSize]);
        _blocks[^1][_count % BlockSize] = record;
        _count++;
    }

    /// <summary>The records there are now. Take it under the lock that guards <see cref="Add"/>; read it outside.</summary>
    public IEnumerable<TRecord> Snapshot()
    {
        var total = _count;
        return _blocks.ToArray().SelectMany(block => block).Take(total);
    }
}
