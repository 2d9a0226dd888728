using System.Buffers;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Sagas.Simulators.Records;

/// <summary>
/// The record as a file of JSON lines. A line that was appended survives the end of the process, since it is with the
/// operating system; it is not forced to the disk, so a power cut may take the last ones.
/// </summary>
internal sealed class RecordFile : IDisposable
{
    private const byte LineEnd = (byte)'\n';
    private readonly string _path;
    private readonly SafeFileHandle _handle;
    private readonly ArrayBufferWriter<byte> _json = new(1024);
    private readonly Utf8JsonWriter _writer;
    private long _end;

    /// <summary>Opens the file, to be written by this process alone.</summary>
    /// <param name="path">The file.</param>
    /// <param name="readers">Whether others may read it at the same time.</param>
    /// <exception cref="IOException">It cannot be opened, or another process has it.</exception>
    public RecordFile(string path, bool readers = false)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } directory)
            Directory.CreateDirectory(directory);
        _path = path;
        _writer = new Utf8JsonWriter(_json);
        _handle = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, readers ? FileShare.Read : FileShare.None);
    }

    /// <summary>
    /// Passes every whole line to <paramref name="read"/>. A last line that a kill cut short is dropped: its request was
    /// never answered.
    /// </summary>
    /// <exception cref="IOException">A line is not a record.</exception>
    public void Load(Action<ReadOnlyMemory<byte>> read)
    {
        var buffer = new byte[1 << 20];
        int kept = 0,
            lineNumber = 0;
        long position = 0;
        for (int got; (got = RandomAccess.Read(_handle, buffer.AsSpan(kept), position)) > 0; position += got)
        {
            var filled = kept + got;
            var start = 0;
            for (int length; (length = buffer.AsSpan(start, filled - start).IndexOf(LineEnd)) >= 0; start += length + 1)
            {
                lineNumber++;
                ReadLine(read, buffer.AsMemory(start, length), lineNumber);
            }

            _end = position + got - (filled - start);
            kept = filled - start;
            Buffer.BlockCopy(buffer, start, buffer, 0, kept);
            if (kept == buffer.Length)
                throw new IOException($"{_path}, line {lineNumber + 1}: the line is longer than any record.");
        }

        RandomAccess.SetLength(_handle, _end);
    }

    /// <summary>Appends one line, its end included. When it throws, nothing was appended.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    public void Append(ReadOnlySpan<byte> line)
    {
        RandomAccess.Write(_handle, line, _end);
        _end += line.Length;
    }

    /// <summary>Appends one record as a line of JSON; for one thread at a time. When it throws, nothing was appended.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    public void Append(Action<Utf8JsonWriter> write)
    {
        _json.ResetWrittenCount();
        _writer.Reset();
        write(_writer);
        _writer.Flush();
        _json.Write("\n"u8);
        Append(_json.WrittenSpan);
    }

    public void Clear()
    {
        RandomAccess.SetLength(_handle, 0);
        _end = 0;
    }

    public void Dispose()
    {
        _writer.Dispose();
        _handle.Dispose();
    }

    private void ReadLine(Action<ReadOnlyMemory<byte>> read, ReadOnlyMemory<byte> line, int number)
    {
        try
        {
            read(line);
        }
        catch (Exception exception) when (exception is not IOException)
        {
            throw new IOException($"{_path}, line {number}: not a record ({exception.Message}).", exception);
        }
    }
}
