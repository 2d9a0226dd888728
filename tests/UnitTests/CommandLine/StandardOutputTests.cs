using System.IO.Pipes;
using Sagas.Cli.CommandLine;

namespace Sagas.UnitTests.CommandLine;

public sealed class StandardOutputTests
{
    [Fact]
    public void A_write_to_a_pipe_fails_once_its_reader_is_gone()
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        var reader = new AnonymousPipeClientStream(PipeDirection.In, pipe.ClientSafePipeHandle);
        // As the console's own stream does, it takes everything.
        using var console = new MemoryStream();
        using var output = new StandardOutput(console, (int)pipe.SafePipeHandle.DangerousGetHandle());

        output.Write("row"u8);
        reader.Dispose();
        var error = Assert.Throws<IOException>(() => output.Write("row"u8));

        Assert.Equal("Broken pipe", error.Message);
        Assert.Equal("row"u8, console.ToArray());
    }

    [Fact]
    public async Task A_command_whose_reader_is_gone_ends_without_an_error()
    {
        using var error = new StringWriter();
        await using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        await new AnonymousPipeClientStream(PipeDirection.In, pipe.ClientSafePipeHandle).DisposeAsync();
        await using var closed = new StandardOutput(Stream.Null, (int)pipe.SafePipeHandle.DangerousGetHandle());
        await using var output = new StreamWriter(closed) { AutoFlush = true };
        var terminal = new Terminal(output, error);

        var code = await CommandRun.RunAsync(
            Sagas.Cli.Program.Commands,
            ["completion", "bash"],
            terminal,
            CancellationToken.None
        );

        Assert.Equal(ExitCode.Ok, code);
        Assert.Empty(error.ToString());
    }
}
