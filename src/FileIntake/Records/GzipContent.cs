using System.IO.Compression;

namespace Sagas.FileIntake.Records;

/// <summary>
/// The decompressed content of a gzip file: all its members, one after the other. Zeros after the last member are padding. In
/// a file that is cut off or damaged everything before that place is read before the error is thrown.
/// </summary>
internal sealed class GzipContent
{
    // Without it .NET treats a file that is cut off as complete; Directory.Build.props turns it on.
    private const string StrictSwitch = "System.IO.Compression.UseStrictValidation";

    // This many bytes before the end of the file are passed on one by one, so that the end of the content is known to the byte.
    private const int BytesBeforeEnd = 4096;

    private readonly FileStream _file;
    private readonly long _length;
    private readonly long _end;
    private long _singlyFrom;
    private Input _input;
    private GZipStream _content;
    private long _position;
    private InvalidDataException? _damage;

    /// <summary>Starts at the beginning of a file, which stays open.</summary>
    /// <param name="file">The file.</param>
    /// <param name="length">How much of it is read.</param>
    /// <exception cref="InvalidOperationException">The program's runtime settings would treat a file that is cut off as
    /// complete.</exception>
    public GzipContent(FileStream file, long length)
    {
        if (!AppContext.TryGetSwitch(StrictSwitch, out var isStrict) || !isStrict)
        {
            throw new InvalidOperationException(
                $"Set {StrictSwitch} in the program's runtimeconfig.json: "
                    + "without it a compressed file that is cut off would be read as complete."
            );
        }
        _file = file;
        _length = Math.Min(file.Length, length);
        _end = EndWithoutPadding(file, _length);
        _singlyFrom = _end - BytesBeforeEnd;
        Begin();
    }

    /// <summary>Whether reading stopped at damage, before the end of the content.</summary>
    public bool IsDamaged => _damage is not null;

    /// <summary>Reads the next bytes.</summary>
    /// <param name="target">It is filled unless the content ends before.</param>
    /// <returns>How many bytes; 0 at the end.</returns>
    /// <exception cref="InvalidDataException">The file is damaged or cut off here.</exception>
    public int Read(Span<byte> target)
    {
        var count = 0;
        while (count < target.Length && _damage is null)
        {
            try
            {
                var read = _content.Read(target[count..]);
                if (read == 0)
                    break;
                count += read;
                _position += read;
            }
            // What this step decompressed is lost with the exception: repeat it in the smallest steps.
            catch (InvalidDataException) when (_singlyFrom > _input.LastRead)
            {
                _singlyFrom = _input.LastRead;
                MoveTo(_position);
            }
            catch (InvalidDataException exception)
            {
                _damage = new InvalidDataException(Describe(), exception);
            }
        }
        if (count > 0 || target.IsEmpty)
            return count;
        if (_damage is null && _file.Position < _end)
            _damage = new InvalidDataException($"What follows byte {_file.Position - 1} of the compressed file is not gzip.");
        return _damage is null ? 0 : throw _damage;
    }

    /// <summary>Continues at an offset of the decompressed content; everything before it is decompressed again.</summary>
    public void MoveTo(long offset)
    {
        Begin();
        Span<byte> skipped = stackalloc byte[8192];
        while (_position < offset && Read(skipped[..(int)Math.Min(offset - _position, skipped.Length)]) > 0) { }
    }

    [System.Diagnostics.CodeAnalysis.MemberNotNull(nameof(_input), nameof(_content))]
    private void Begin()
    {
        _file.Position = _position = 0;
        _damage = null;
        _input = new Input(_file, _singlyFrom, _length);
        _content = new GZipStream(_input, CompressionMode.Decompress, leaveOpen: true);
    }

    private string Describe() =>
        _input.IsAtEnd
            ? "The compressed file was cut off: it ends in the middle of its content."
            : $"The compressed file is damaged at byte {_file.Position - 1} or before.";

    private static long EndWithoutPadding(FileStream file, long fileLength)
    {
        Span<byte> block = stackalloc byte[4096];
        for (var end = fileLength; end > 0; end -= block.Length)
        {
            file.Position = Math.Max(0, end - block.Length);
            var length = file.ReadAtLeast(block[..(int)Math.Min(end, block.Length)], 1);
            if (block[..length].LastIndexOfAnyExcept((byte)0) is >= 0 and var last)
                return Math.Max(0, end - block.Length) + last + 1;
        }
        return 0;
    }

    /// <summary>The file; behind an offset one byte per read.</summary>
    private sealed class Input(FileStream file, long singlyFrom, long length) : Stream
    {
        /// <summary>Where the last read started.</summary>
        public long LastRead { get; private set; }

        /// <summary>Whether a read reached the end of the file.</summary>
        public bool IsAtEnd { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            LastRead = file.Position;
            var left = singlyFrom - LastRead;
            var wanted = Math.Clamp(left, Math.Min(1, count), count);
            var read = file.Read(buffer, offset, (int)Math.Clamp(length - LastRead, 0, wanted));
            IsAtEnd = read == 0;
            return read;
        }

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
