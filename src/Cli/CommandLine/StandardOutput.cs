using System.Runtime.InteropServices;
using System.Text;

namespace Sagas.Cli.CommandLine;

/// <summary>
/// The process's standard output. A write to a pipe whose reader has ended fails. .NET's own stream reports success, so
/// <c>--watch | head</c> would never end.
/// </summary>
/// <param name="inner">What writes.</param>
/// <param name="descriptor">The pipe's number.</param>
internal sealed partial class StandardOutput(Stream inner, int descriptor) : Stream
{
    private const int Descriptor = 1;

    // POLLERR and POLLHUP; which of them, depends on the system.
    private const short Closed = 0x8 | 0x10;

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Opens it for bytes.</summary>
    public static Stream Open()
    {
        var stream = Console.OpenStandardOutput();
        return Console.IsOutputRedirected && !OperatingSystem.IsWindows() ? new StandardOutput(stream, Descriptor) : stream;
    }

    /// <summary>Opens it for text.</summary>
    public static TextWriter OpenText() =>
        Console.IsOutputRedirected
            ? TextWriter.Synchronized(new StreamWriter(Open(), new UTF8Encoding(false)) { AutoFlush = true })
            : Console.Out;

    /// <inheritdoc/>
    public override void Flush() => inner.Flush();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    /// <exception cref="IOException">The pipe's reader has ended, or the write fails.</exception>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    /// <exception cref="IOException">The pipe's reader has ended, or the write fails.</exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        var state = new State { Descriptor = descriptor };
        if (Poll(ref state, 1, 0) > 0 && (state.Found & Closed) != 0)
            throw new IOException("Broken pipe");
        inner.Write(buffer);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(ref State states, nuint count, int timeout);

    // As poll(2) has it.
    private struct State
    {
        public int Descriptor;
        public short Awaited;
        public short Found;
    }
}
