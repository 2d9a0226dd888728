namespace Sagas.UnitTests.FileIntake;

/// <summary>Files that are found, claimed and moved on.</summary>
public sealed class WatchedFolderTests : WatchedFolderTest
{
    [Fact]
    public async Task A_file_that_is_being_written_is_found_when_it_has_not_changed_for_a_while()
    {
        Watch(stable: TimeSpan.FromSeconds(2));
        var path = Path.Combine(Root, "a.csv");
        for (var n = 0; n < 4; n++)
        {
            await File.AppendAllTextAsync(path, "1,Ada\n");
            await AssertOthersAreNotFoundAsync();
            TimeProvider.Advance(TimeSpan.FromSeconds(1.5));
            await AssertOthersAreNotFoundAsync();
        }

        // Its current content was first seen one and a half seconds ago.
        var before = TimeProvider.GetUtcNow();
        var claimed = await ClaimedAsync("a.csv");
        Assert.True(TimeProvider.GetUtcNow() - before >= TimeSpan.FromSeconds(0.5));
        Assert.Equal(Path.Combine(Root, "done", "a.csv"), Done(claimed));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(Root, "working")));
    }

    [Fact]
    public async Task A_file_that_ends_within_a_line_has_to_be_unchanged_for_longer()
    {
        await WriteAsync("a.csv", "id\n1\n2");
        Watch(stable: TimeSpan.FromSeconds(1));
        var before = TimeProvider.GetUtcNow();

        await ClaimedAsync("a.csv");

        Assert.True(TimeProvider.GetUtcNow() - before >= TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task A_file_renamed_into_place_is_found_at_once()
    {
        Watch(stable: TimeSpan.FromHours(1), poll: TimeSpan.FromHours(1));
        var found = NextAsync();
        await WriteAsync("a.csv.part");
        File.Move(Path.Combine(Root, "a.csv.part"), Path.Combine(Root, "a.csv"));

        Assert.Equal("a.csv", (await found).Name);
    }

    [Fact]
    public async Task Files_that_were_there_before_are_found_oldest_first_and_unfinished_ones_are_not()
    {
        foreach (var (name, age) in new[] { ("b.csv", 1), ("a.csv", 2), (".hidden.csv", 3), ("c.csv.part", 3), ("d.csv.tmp", 3) })
        {
            await WriteAsync(name);
            File.SetLastWriteTimeUtc(Path.Combine(Root, name), DateTime.UtcNow.AddHours(-age));
        }
        Watch(stable: TimeSpan.FromMilliseconds(50));

        Assert.Equal(["a.csv", "b.csv"], [(await FoundAsync()).Name, (await FoundAsync()).Name]);
        await AssertOthersAreNotFoundAsync();
    }

    [Fact]
    public async Task A_file_is_found_once_until_it_changes_or_is_requested_again()
    {
        Watch(stable: TimeSpan.FromMilliseconds(50));
        var path = await WriteAsync("a.csv");
        Assert.Equal(path, (await FoundAsync()).Path);
        TimeProvider.Advance(TimeSpan.FromHours(1));
        await AssertOthersAreNotFoundAsync();

        await File.AppendAllTextAsync(path, "more\n");
        Assert.Equal(path, (await FoundAsync()).Path);

        Folder.LookAgain(path);
        Assert.Equal(path, (await FoundAsync()).Path);
    }

    [Fact]
    public async Task A_failed_file_is_moved_with_its_reason_and_replaces_no_other()
    {
        Watch(stable: TimeSpan.Zero);
        foreach (var expected in new[] { "a.csv", "a.2.csv" })
        {
            await WriteAsync("a.csv");

            var moved = Failed(await ClaimedAsync("a.csv"), "It has no header.");

            Assert.Equal(Path.Combine(Root, "failed", expected), moved);
            Assert.Equal("It has no header.", (await File.ReadAllTextAsync(moved + ".reason.txt")).Trim());
        }
    }

    [Fact]
    public async Task A_file_of_the_same_name_does_not_touch_the_one_that_is_read()
    {
        Watch(stable: TimeSpan.Zero);
        await WriteAsync("a.csv", "first");
        var first = await ClaimedAsync("a.csv");
        await WriteAsync("a.csv", "second");
        var second = await ClaimedAsync("a.csv");

        Assert.Equal("second", await File.ReadAllTextAsync(Done(second)));
        Assert.Equal("first", await File.ReadAllTextAsync(Done(first)));
    }

    [Fact]
    public async Task A_file_that_changed_after_it_was_found_is_not_claimed_until_it_has_settled()
    {
        Watch(stable: TimeSpan.FromMilliseconds(50));
        var path = await WriteAsync("a.csv");
        var found = await FoundAsync();
        await File.AppendAllTextAsync(path, "more\n");

        Assert.Null(Folder.Claim(found));

        Folder.Release(found);
        Assert.Equal("id\n1\nmore\n", await File.ReadAllTextAsync((await ClaimedAsync("a.csv")).Path));
    }

    [Fact]
    public async Task A_file_that_was_claimed_before_an_interruption_can_be_claimed_again()
    {
        Watch(stable: TimeSpan.Zero);
        await WriteAsync("a.csv", "content");
        var found = await FoundAsync();
        var claimed = Folder.Claim(found);

        Assert.Equal(claimed, Folder.Claim(found));

        Assert.Equal("content", await File.ReadAllTextAsync(Done(claimed!)));
    }

    [Fact]
    public async Task What_a_process_left_in_working_is_found_by_the_next_one()
    {
        Watch(stable: TimeSpan.Zero);
        await WriteAsync("a.csv");
        var left = await ClaimedAsync("a.csv");
        await Files!.DisposeAsync();

        Watch(stable: TimeSpan.Zero);

        var again = await ClaimedAsync("a.csv");
        Assert.Equal(left.Path, again.Path);
        Assert.Equal(Path.Combine(Root, "done", "a.csv"), Done(again));
    }

    [Fact]
    public async Task A_file_that_a_writer_continues_after_it_was_moved_is_found_again()
    {
        Watch(stable: TimeSpan.FromMilliseconds(50));
        var path = await WriteAsync("a.csv");
        await using var writer = new StreamWriter(path, append: true);
        var done = Done(await ClaimedAsync("a.csv"));
        await File.WriteAllTextAsync(done + ".rejects.csv", "old");

        await writer.WriteAsync("2\n");
        await writer.FlushAsync();

        var again = await ClaimedAsync("a.csv");
        Assert.Equal("id\n1\n2\n", await File.ReadAllTextAsync(again.Path));
        Assert.Empty(Directory.GetFiles(Path.Combine(Root, "done")));
        Assert.Equal(done, Done(again));
    }
}
