using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Sagas.FileIntake.Folders;

namespace Sagas.UnitTests.FileIntake;

public sealed class WatchedFolderTests : IAsyncDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("sagas-watched-").FullName;
    private readonly CancellationTokenSource _stop = new(Eventually.Timeout);
    private readonly FakeTimeProvider _timeProvider = new();
    private IAsyncEnumerator<string>? _files;

    [Fact]
    public async Task A_file_that_is_being_written_is_found_when_it_has_not_changed_for_a_while()
    {
        var folder = Watch(stable: TimeSpan.FromSeconds(2));
        var path = Path.Combine(_root, "a.csv");
        for (var n = 0; n < 4; n++)
        {
            await File.AppendAllTextAsync(path, "1,Ada\n");
            await AssertOthersAreNotFoundAsync();
            _timeProvider.Advance(TimeSpan.FromSeconds(1.5));
            await AssertOthersAreNotFoundAsync();
        }

        // Its current content was first seen one and a half seconds ago.
        var before = _timeProvider.GetUtcNow();
        Assert.Equal(path, await FoundAsync());
        Assert.True(_timeProvider.GetUtcNow() - before >= TimeSpan.FromSeconds(0.5));
        Assert.Equal(Path.Combine(_root, "done", "a.csv"), folder.MoveToDone(path));
    }

    [Fact]
    public async Task A_file_renamed_into_place_is_found_at_once()
    {
        Watch(stable: TimeSpan.FromHours(1), poll: TimeSpan.FromHours(1));
        var found = NextAsync();
        await WriteAsync("a.csv.part");
        File.Move(Path.Combine(_root, "a.csv.part"), Path.Combine(_root, "a.csv"));

        Assert.Equal(Path.Combine(_root, "a.csv"), await found);
    }

    [Fact]
    public async Task Files_that_were_there_before_are_found_oldest_first_and_unfinished_ones_are_not()
    {
        foreach (var (name, age) in new[] { ("b.csv", 1), ("a.csv", 2), (".hidden.csv", 3), ("c.csv.part", 3), ("d.csv.tmp", 3) })
        {
            await WriteAsync(name);
            File.SetLastWriteTimeUtc(Path.Combine(_root, name), DateTime.UtcNow.AddHours(-age));
        }
        Watch(stable: TimeSpan.FromMilliseconds(50));

        Assert.Equal([Path.Combine(_root, "a.csv"), Path.Combine(_root, "b.csv")], [await FoundAsync(), await FoundAsync()]);
        await AssertOthersAreNotFoundAsync();
    }

    [Fact]
    public async Task A_file_is_found_once_until_it_changes_or_is_requested_again()
    {
        var folder = Watch(stable: TimeSpan.FromMilliseconds(50));
        var path = await WriteAsync("a.csv");
        Assert.Equal(path, await FoundAsync());
        _timeProvider.Advance(TimeSpan.FromHours(1));
        await AssertOthersAreNotFoundAsync();

        await File.AppendAllTextAsync(path, "more\n");
        Assert.Equal(path, await FoundAsync());

        folder.LookAgain(path);
        Assert.Equal(path, await FoundAsync());
    }

    [Fact]
    public async Task A_failed_file_is_moved_with_its_reason_and_replaces_no_other()
    {
        var folder = Watch(stable: TimeSpan.Zero);
        foreach (var expected in new[] { "a.csv", "a.2.csv" })
        {
            var path = await WriteAsync("a.csv");
            Assert.Equal(path, await FoundAsync());

            var moved = folder.MoveToFailed(path, "It has no header.");

            Assert.Equal(Path.Combine(_root, "failed", expected), moved);
            Assert.Equal("It has no header.", (await File.ReadAllTextAsync(moved + ".reason.txt")).Trim());
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _stop.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    private WatchedFolder Watch(TimeSpan stable, TimeSpan? poll = null)
    {
        var options = new WatchedFolderOptions
        {
            Path = _root,
            SettleDelay = stable,
            PollInterval = poll ?? TimeSpan.FromMilliseconds(100),
        };
        var folder = new WatchedFolder(options, _timeProvider, NullLogger<WatchedFolder>.Instance);
        _files = folder.FilesAsync(_stop.Token).GetAsyncEnumerator();
        return folder;
    }

    private async Task<string> NextAsync()
    {
        Assert.True(await _files!.MoveNextAsync());
        return _files.Current;
    }

    /// <summary>Advances the clock until a file is found.</summary>
    private async Task<string> FoundAsync()
    {
        var next = NextAsync();
        await _timeProvider.AdvanceUntilAsync("a file is found", () => next.IsCompleted, TimeSpan.FromMilliseconds(50));
        return await next;
    }

    /// <summary>Expects that no other file is found: the next one found is a marker, so the folder was read.</summary>
    private async Task AssertOthersAreNotFoundAsync()
    {
        var marker = Path.Combine(_root, "marker.csv");
        await WriteAsync("marker.csv.part");
        File.SetLastWriteTimeUtc(marker + ".part", DateTime.UtcNow.AddHours(1));
        var next = NextAsync();
        File.Move(marker + ".part", marker);
        Assert.Equal(marker, await next);
        File.Delete(marker);
    }

    private async Task<string> WriteAsync(string name)
    {
        var path = Path.Combine(_root, name);
        await File.WriteAllTextAsync(path, "id\n1\n");
        return path;
    }
}
