using System.Buffers.Binary;
using System.Text;

namespace Sagas.Services.Ingest;

/// <summary>A row's columns of <see cref="IngestSql.CopyCustomers"/> in binary COPY format.</summary>
internal readonly struct CustomerColumnsOfRow(ArraySegment<byte> bytes)
{
    private const int LengthOfCorrelationId = 4 + 16;

    public ArraySegment<byte> Bytes => bytes;

    /// <summary>The correlation id, ordered as Postgres orders UUIDs.</summary>
    public UInt128 CorrelationId => BinaryPrimitives.ReadUInt128BigEndian(bytes.AsSpan(4));

    public string CustomerId =>
        Encoding.UTF8.GetString(
            bytes.AsSpan(LengthOfCorrelationId + 4, BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(LengthOfCorrelationId)))
        );
}
