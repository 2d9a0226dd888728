using System.Buffers;
using System.Buffers.Binary;

namespace Sagas.Services.Ingest;

/// <summary>Customers in Postgres's binary COPY format, written straight from the file's bytes: nothing is made per row.</summary>
internal sealed class CopyRows
{
    /// <summary>When it is this full it is sent.</summary>
    public const int Enough = 64 * 1024;

    /// <summary>What every COPY begins with.</summary>
    public static readonly byte[] Header = [.. "PGCOPY\n\u00FF\r\n\0"u8[..7], 0xFF, 0x0D, 0x0A, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>What every COPY ends with.</summary>
    public static readonly byte[] Trailer = [0xFF, 0xFF];

    // Field count, nine lengths, line, correlation id and time.
    private const int FixedLength = 2 + 9 * 4 + 8 + 16 + 8;

    private static readonly long _epoch = new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero).Ticks;

    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(Enough + 4096);
    private int _length;

    public bool IsFull => _length >= Enough;

    public bool IsEmpty => _length == 0;

    public void Add(in CustomerRow row, ReadOnlySpan<byte> correlationId, long line)
    {
        Reserve(FixedLength + row.CustomerId.Length + row.FirstName.Length + row.LastName.Length + row.Email.Length + row.Phone.Length + row.Source.Length);
        var target = new Target(_bytes.AsSpan(_length));
        target.Short(9);
        target.Long(line);
        target.Bytes(correlationId);
        target.Bytes(row.CustomerId);
        target.Text(row.FirstName);
        target.Text(row.LastName);
        target.Text(row.Email);
        target.Text(row.Phone);
        target.Text(row.Source);
        if (row.RegisteredAt is { } at)
            target.Long((at.UtcTicks - _epoch) / TimeSpan.TicksPerMicrosecond);
        else
            target.Null();
        _length += target.Length;
    }

    /// <summary>Takes what was written; the array is to be given back to the shared pool.</summary>
    public ArraySegment<byte> Take()
    {
        var taken = new ArraySegment<byte>(_bytes, 0, _length);
        (_bytes, _length) = (ArrayPool<byte>.Shared.Rent(Enough + 4096), 0);
        return taken;
    }

    private void Reserve(int length)
    {
        if (_bytes.Length - _length >= length)
            return;
        var larger = ArrayPool<byte>.Shared.Rent(_length + length);
        _bytes.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_bytes);
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
                Null();
            else
                Bytes(value);
        }

        public void Null() => Size(-1);

        private void Size(int value)
        {
            BinaryPrimitives.WriteInt32BigEndian(_space[Length..], value);
            Length += 4;
        }
    }
}
