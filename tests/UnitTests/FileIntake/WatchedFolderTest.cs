using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Sagas.FileIntake.Folders;

namespace Sagas.UnitTests.FileIntake;

/// <summary>A folder that is watched, with a clock of its own.</summary>
public abstract class WatchedFolderTest : IAsyncDisposable
{
    private protected string Root { get; } = Directory.CreateTempSubdirectory("sagas-watched-").FullName;
    private readonly CancellationTokenSource _stop = new(Eventually.Timeout);
    private protected FakeTimeProvider TimeProvider { get; } = new();
    private protected WatchedFolder Folder { get; private set; } = null!;
    private protected IAsyncEnumerator<FoundFile>? Files { get; private set; }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _stop.CancelAsync();
        _stop.Dispose();
        Directory.Delete(Root, recursive: true);
    }

    private protected void Watch(TimeSpan stable, TimeSpan? poll = null)
    {
        var options = new WatchedFolderOptions
        {
            Path = Root,
            SettleDelay = stable,
            PollInterval = poll ?? TimeSpan.FromMilliseconds(100),
        };
        Folder = new WatchedFolder(options, TimeProvider, NullLogger<WatchedFolder>.Instance);
        Files = Folder.FilesAsync(_stop.Token).GetAsyncEnumerator();
    }

    private protected async Task<FoundFile> NextAsync()
    {
        Assert.True(await Files!.MoveNextAsync());
        return Files.Current;
    }

    /// <summary>Advances the clock until a file is found.</summary>
    private protected async Task<FoundFile> FoundAsync()
    {
        var next = NextAsync();
        await TimeProvider.AdvanceUntilAsync("a file is found", () => next.IsCompleted, TimeSpan.FromMilliseconds(50));
        return await next;
    }

    private protected async Task<FoundFile> ClaimedAsync(string name)
    {
        var claimed = Folder.Claim(await FoundAsync());
        Assert.Equal(name, claimed?.Name);
        return claimed!;
    }

    private protected string Done(FoundFile claimed) => Folder.MoveToDone(claimed, new FileInfo(claimed.Path).Length);

    private protected string Failed(FoundFile claimed, string reason) =>
        Folder.MoveToFailed(claimed, reason, new FileInfo(claimed.Path).Length);

    /// <summary>Expects that no other file is found: the next one found is a marker, so the folder was read.</summary>
    private protected async Task AssertOthersAreNotFoundAsync()
    {
        var marker = Path.Combine(Root, "marker.csv");
        await WriteAsync("marker.csv.part");
        File.SetLastWriteTimeUtc(marker + ".part", DateTime.UtcNow.AddHours(1));
        var next = NextAsync();
        File.Move(marker + ".part", marker);
        Assert.Equal(marker, (await next).Path);
        File.Delete(marker);
    }

    private protected string[] Names(string folder) =>
        [.. Directory.GetFiles(Path.Combine(Root, folder)).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private protected Task<string> ReasonAsync(string name) =>
        File.ReadAllTextAsync(Path.Combine(Root, "failed", name + ".reason.txt"));

    private protected async Task ShellAsync(string script)
    {
        using var shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-ec", script]) { WorkingDirectory = Root })!;
        await shell.WaitForExitAsync(_stop.Token);
        Assert.Equal(0, shell.ExitCode);
    }

    private protected async Task<string> WriteAsync(string name, string content = "id\n1\n")
    {
        var path = Path.Combine(Root, name);
        await File.WriteAllTextAsync(path, content);
        return path;
    }
}
