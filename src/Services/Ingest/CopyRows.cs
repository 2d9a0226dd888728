using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Sagas.Services.Files;

namespace Sagas.Services.Ingest;

/// <summary>
/// Customers in Postgres's binary COPY format for <see cref="IngestSql.CopyIntoStaging"/>, written straight from the file's bytes: nothing is
/// made per row. Rows that do not tell their source or their time have the file's.
/// </summary>
/// <param name="file">The file.</param>
/// <param name="buffers">Where memory for rows comes from.</param>
internal sealed class CopyRows(RegisteredFile file, ArrayPool<byte> buffers)
{
    /// <summary>Size of a buffer, in bytes: so large that it is never moved in memory.</summary>
    public const int Size = 128 * 1024;

    // When it is this full it is handed on; what is left is for the rows that come before the next look at how full it is.
    private const int Enough = 96 * 1024;

    /// <summary>What every COPY begins with.</summary>
    public static readonly byte[] Header = [.. "PGCOPY\n\u00FF\r\n\0"u8[..7], 0xFF, 0x0D, 0x0A, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>What every COPY ends with.</summary>
    public static readonly byte[] Trailer = [0xFF, 0xFF];

    // Field count, nine lengths, line, correlation id and time.
    private const int FixedLength = 2 + 9 * 4 + 8 + 16 + 8;

    private static readonly long _epoch = new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero).Ticks;

    private readonly byte[] _source = Encoding.UTF8.GetBytes(file.Name);
    private readonly long _time = Time(file.AcceptedAt);
    private byte[] _bytes = buffers.Rent(Size);
    private int _length;

    public bool IsFull => _length >= Enough;

    public bool IsEmpty => _length == 0;

    /// <summary>A time as Postgres has it.</summary>
    public static long Time(DateTimeOffset time) => (time.UtcTicks - _epoch) / TimeSpan.TicksPerMicrosecond;

    public void Add(in CustomerRow row, ReadOnlySpan<byte> correlationId, long line)
    {
        var source = row.Source.IsEmpty ? _source : row.Source;
        Reserve(FixedLength + row.CustomerId.Length + row.FirstName.Length + row.LastName.Length + row.Email.Length + row.Phone.Length + source.Length);
        var target = new Target(_bytes.AsSpan(_length));
        target.Short(9);
        target.Long(line);
        target.Bytes(correlationId);
        target.Bytes(row.CustomerId);
        target.Text(row.FirstName);
        target.Text(row.LastName);
        target.Text(row.Email);
        target.Text(row.Phone);
        target.Bytes(source);
        target.Long(row.RegisteredAt is { } at ? Time(at) : _time);
        _length += target.Length;
    }

    /// <summary>Takes what was written; the array is to be given back.</summary>
    public ArraySegment<byte> Take()
    {
        var taken = new ArraySegment<byte>(_bytes, 0, _length);
        (_bytes, _length) = (buffers.Rent(Size), 0);
        return taken;
    }

    private void Reserve(int length)
    {
        if (_bytes.Length - _length >= length)
            return;
        var larger = buffers.Rent(_length + length);
        _bytes.AsSpan(0, _length).CopyTo(larger);
        buffers.Return(_bytes);
        _bytes = larger;
    }

    private ref struct Target(Span<byte> space)
    {
        private readonly Span<byte> _space = space;

        public int Length { get; private set; }

        public void Short(short value)
        {
            BinaryPrimitives.WriteInt16BigEndian(_space[Length..], value);
            Length += 2;
        }

        public void Long(long value)
        {
            Size(8);
            BinaryPrimitives.WriteInt64BigEndian(_space[Length..], value);
            Length += 8;
        }

        public void Bytes(ReadOnlySpan<byte> value)
        {
            Size(value.Length);
            value.CopyTo(_space[Length..]);
            Length += value.Length;
        }

        // An empty field says nothing.
        public void Text(ReadOnlySpan<byte> value)
        {
            if (value.IsEmpty)
                Size(-1);
            else
                Bytes(value);
        }

        private void Size(int value)
        {
            BinaryPrimitives.WriteInt32BigEndian(_space[Length..], value);
            Length += 4;
        }
    }
}
