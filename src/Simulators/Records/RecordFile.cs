using System.Buffers;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Sagas.Simulators.Records;

/// <summary>
/// The record as a file of JSON lines. A line that was appended survives the death of the process, since it is with the
/// operating system; it is not forced to the disk, so a power cut may take the last ones.
/// </summary>
internal sealed class RecordFile : IDisposable
{
    private const byte LineEnd = (byte)'\n';
    private readonly string path;
    private readonly SafeFileHandle handle;
    private readonly ArrayBufferWriter<byte> json = new(1024);
    private readonly Utf8JsonWriter writer;
    private long end;

    /// <summary>Opens the file, to be written by this process alone.</summary>
    /// <param name="path">The file.</param>
    /// <param name="readers">Others may read it meanwhile.</param>
    /// <exception cref="IOException">It cannot be opened, or another process has it.</exception>
    public RecordFile(string path, bool readers = false)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } directory)
            Directory.CreateDirectory(directory);
        this.path = path;
        writer = new Utf8JsonWriter(json);
        handle = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, readers ? FileShare.Read : FileShare.None);
    }

    /// <summary>
    /// Gives every whole line to <paramref name="read"/>. A last line that a kill cut short is dropped: its request was
    /// never answered.
    /// </summary>
    /// <exception cref="IOException">A line is not a record.</exception>
    public void Load(Action<ReadOnlyMemory<byte>> read)
    {
        var buffer = new byte[1 << 20];
        int kept = 0,
            lineNumber = 0;
        long position = 0;
        for (int got; (got = RandomAccess.Read(handle, buffer.AsSpan(kept), position)) > 0; position += got)
        {
            var filled = kept + got;
            var start = 0;
            for (int length; (length = buffer.AsSpan(start, filled - start).IndexOf(LineEnd)) >= 0; start += length + 1)
            {
                lineNumber++;
                ReadLine(read, buffer.AsMemory(start, length), lineNumber);
            }

            end = position + got - (filled - start);
            kept = filled - start;
            Buffer.BlockCopy(buffer, start, buffer, 0, kept);
            if (kept == buffer.Length)
                throw new IOException($"{path}, line {lineNumber + 1}: no record is that long.");
        }

        RandomAccess.SetLength(handle, end);
    }

    /// <summary>Appends one line, its end included. When it throws, nothing was appended.</summary>
    /// <exception cref="IOException">The disk refused it.</exception>
    public void Append(ReadOnlySpan<byte> line)
    {
        RandomAccess.Write(handle, line, end);
        end += line.Length;
    }

    /// <summary>Appends one record as a line of JSON; for one thread at a time. When it throws, nothing was appended.</summary>
    /// <exception cref="IOException">The disk refused it.</exception>
    public void Append(Action<Utf8JsonWriter> write)
    {
        json.ResetWrittenCount();
        writer.Reset();
        write(writer);
        writer.Flush();
        json.Write("\n"u8);
        Append(json.WrittenSpan);
    }

    public void Clear()
    {
        RandomAccess.SetLength(handle, 0);
        end = 0;
    }

    public void Dispose()
    {
        writer.Dispose();
        handle.Dispose();
    }

    private void ReadLine(Action<ReadOnlyMemory<byte>> read, ReadOnlyMemory<byte> line, int number)
    {
        try
        {
            read(line);
        }
        catch (Exception exception) when (exception is not IOException)
        {
            throw new IOException($"{path}, line {number}: not a record ({exception.Message}).", exception);
        }
    }
}
