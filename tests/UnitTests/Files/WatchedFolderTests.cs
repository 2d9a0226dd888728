using Microsoft.Extensions.Logging.Abstractions;
using Sagas.Services.Files;

namespace Sagas.UnitTests.Files;

public sealed class WatchedFolderTests : IAsyncDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("sagas-watched-").FullName;
    private readonly CancellationTokenSource _stop = new(Eventually.Timeout);
    private IAsyncEnumerator<string>? _files;

    [Fact]
    public async Task A_file_that_is_being_written_is_found_when_it_has_not_changed_for_a_while()
    {
        var clock = new LookedAtClock();
        var folder = Watch(TimeSpan.FromSeconds(2), time: clock);
        var found = NextAsync();
        var path = Path.Combine(_root, "a.csv");
        for (var n = 0; n < 4; n++)
        {
            await File.AppendAllTextAsync(path, "1,Ada\n");
            await LookedAsync();
            clock.Advance(TimeSpan.FromSeconds(1.5));
            await LookedAsync();
            Assert.False(found.IsCompleted);
        }

        clock.Advance(TimeSpan.FromSeconds(0.5));
        Assert.Equal(path, await found);
        Assert.Equal(Path.Combine(_root, "done", "a.csv"), folder.MoveToDone(path));

        // Each look reads the clock twice, before the folder and after it: of four readings two are of one whole look.
        Task LookedAsync()
        {
            var before = clock.Readings;
            return Eventually.TrueAsync("the clock is read again", () => found.IsCompleted || clock.Readings >= before + 4);
        }
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

        Assert.Equal([Path.Combine(_root, "a.csv"), Path.Combine(_root, "b.csv")], [await NextAsync(), await NextAsync()]);
        await AssertNoneAsync();
    }

    [Fact]
    public async Task A_file_is_found_once_until_it_changes_or_is_asked_for_again()
    {
        var folder = Watch(stable: TimeSpan.FromMilliseconds(50));
        var path = await WriteAsync("a.csv");
        Assert.Equal(path, await NextAsync());
        var again = NextAsync();
        await Task.Delay(300);
        Assert.False(again.IsCompleted);

        await File.AppendAllTextAsync(path, "more\n");
        Assert.Equal(path, await again);

        folder.LookAgain(path);
        Assert.Equal(path, await NextAsync());
    }

    [Fact]
    public async Task A_file_that_failed_has_its_reason_beside_it_and_replaces_none()
    {
        var folder = Watch(stable: TimeSpan.Zero);
        foreach (var expected in new[] { "a.csv", "a.2.csv" })
        {
            var path = await WriteAsync("a.csv");
            Assert.Equal(path, await NextAsync());

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

    private WatchedFolder Watch(TimeSpan stable, TimeSpan? poll = null, TimeProvider? time = null)
    {
        var options = new WatchedFolderOptions { Path = _root, StableFor = stable, PollInterval = poll ?? TimeSpan.FromMilliseconds(100) };
        var folder = new WatchedFolder(options, time ?? TimeProvider.System, NullLogger<WatchedFolder>.Instance);
        _files = folder.FilesAsync(_stop.Token).GetAsyncEnumerator();
        return folder;
    }

    private async Task<string> NextAsync()
    {
        Assert.True(await _files!.MoveNextAsync());
        return _files.Current;
    }

    private async Task AssertNoneAsync()
    {
        var next = NextAsync();
        await Task.Delay(400);
        Assert.False(next.IsCompleted);
    }

    private async Task<string> WriteAsync(string name)
    {
        var path = Path.Combine(_root, name);
        await File.WriteAllTextAsync(path, "id\n1\n");
        return path;
    }

    /// <summary>Stands still until it is moved, and counts how often it is read. Its timers are the system's.</summary>
    private sealed class LookedAtClock : TimeProvider
    {
        private readonly Lock _lock = new();
        private DateTimeOffset _now = DateTimeOffset.UnixEpoch;
        private int _readings;

        public int Readings => Volatile.Read(ref _readings);

        public void Advance(TimeSpan time)
        {
            lock (_lock)
                _now += time;
        }

        public override DateTimeOffset GetUtcNow()
        {
            lock (_lock)
            {
                _readings++;
                return _now;
            }
        }
    }
}
