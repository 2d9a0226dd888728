using System.Buffers;
using Sagas.FileIntake.Storage;

namespace Sagas.Services.Ingest;

/// <summary>What all batches of a file have in common.</summary>
/// <param name="File">The file.</param>
/// <param name="Partitions">How many partitions the file has.</param>
/// <param name="HasCrm">Whether customers are synced to a CRM.</param>
/// <param name="TimeProvider">The clock.</param>
internal sealed record IngestContext(IncomingFile File, int Partitions, bool HasCrm, TimeProvider TimeProvider)
{
    // Two batches of every partition. A smaller pool would turn most of its buffers into garbage.
    private const int PooledBuffers = 500;

    private volatile bool _allAreNew = true;

    /// <summary>Buffers for rows, kept while the file is read.</summary>
    public ArrayPool<byte> Buffers { get; } = ArrayPool<byte>.Create(CopyRows.BufferBytes, PooledBuffers);

    /// <summary>Whether every customer of the file was new so far. The next batch is then copied without checking which
    /// customers are known. In a file with known customers an early, small batch usually fails, and the batches after it
    /// check.</summary>
    public bool AllAreNew
    {
        get => _allAreNew;
        set => _allAreNew = value;
    }
}
