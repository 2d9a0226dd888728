namespace Sagas.UnitTests.FileIntake;

/// <summary>What is in a watched folder and cannot be read.</summary>
public sealed class PutAsideTests : WatchedFolderTest
{
    [Fact]
    public async Task Names_that_are_not_UTF_8_are_put_aside_and_hold_up_no_other_file()
    {
        foreach (var name in new[] { "a.csv", "b.csv", "y.csv", "z.csv" })
            await WriteAsync(name);
        await ShellAsync("""echo x > "$(printf 'M\374ller.csv')"; echo x > "$(printf 'M\366ller.csv')" """);

        Watch(stable: TimeSpan.Zero);

        string[] found =
        [
            (await FoundAsync()).Name,
            (await FoundAsync()).Name,
            (await FoundAsync()).Name,
            (await FoundAsync()).Name,
        ];
        Assert.Equal(["a.csv", "b.csv", "y.csv", "z.csv"], found.Order());
        Assert.Equal(
            ["M\uFFFDller.2.csv", "M\uFFFDller.2.csv.reason.txt", "M\uFFFDller.csv", "M\uFFFDller.csv.reason.txt"],
            Names("failed")
        );
        Assert.Contains("UTF-8", await ReasonAsync("M\uFFFDller.csv"), StringComparison.Ordinal);
        Assert.Equal(["a.csv", "b.csv", "y.csv", "z.csv"], Names("."));
    }

    [Fact]
    public async Task What_is_no_regular_file_is_put_aside_and_a_link_is_not_followed()
    {
        var secret = Path.Combine(Root, ".secret");
        await File.WriteAllTextAsync(secret, "id\n1\n");
        await ShellAsync("mkfifo pipe.csv; ln -s .secret link.csv; ln -s /nowhere dangling.csv; mknod null.csv c 1 3 || true");

        Watch(stable: TimeSpan.Zero);
        await AssertOthersAreNotFoundAsync();

        Assert.Contains("named pipe", await ReasonAsync("pipe.csv"), StringComparison.Ordinal);
        Assert.Contains("symbolic link", await ReasonAsync("link.csv"), StringComparison.Ordinal);
        Assert.Contains("symbolic link", await ReasonAsync("dangling.csv"), StringComparison.Ordinal);
        Assert.Equal(".secret", new FileInfo(Path.Combine(Root, "failed", "link.csv")).LinkTarget);
        Assert.Equal("id\n1\n", await File.ReadAllTextAsync(secret));
    }

    [Fact]
    public async Task Nothing_is_written_through_a_link()
    {
        var outside = Path.Combine(Root, ".outside");
        Directory.CreateDirectory(Path.Combine(Root, "failed"));
        File.CreateSymbolicLink(Path.Combine(Root, "failed", "a.csv.reason.txt"), outside);
        await WriteAsync("a.csv");

        Watch(stable: TimeSpan.Zero);
        var moved = Failed(await ClaimedAsync("a.csv"), "reason");

        Assert.Equal(Path.Combine(Root, "failed", "a.2.csv"), moved);
        Assert.False(File.Exists(outside));
    }

    [Theory]
    [InlineData("working")]
    [InlineData("done")]
    [InlineData("failed")]
    public async Task A_link_in_place_of_a_folder_is_refused(string name)
    {
        Directory.CreateDirectory(Path.Combine(Root, ".elsewhere"));
        Directory.CreateSymbolicLink(Path.Combine(Root, name), Path.Combine(Root, ".elsewhere"));
        Watch(stable: TimeSpan.Zero);

        var exception = await Assert.ThrowsAsync<IOException>(NextAsync);

        Assert.Contains("is a symbolic link: replace it by a folder", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_with_the_longest_name_is_moved_with_its_reason_and_rejects()
    {
        var name = new string('x', 251) + ".csv";
        await WriteAsync(name);
        Watch(stable: TimeSpan.Zero);
        var claimed = await ClaimedAsync(name);
        await File.WriteAllTextAsync(Folder.RejectsOf(claimed), "line");

        Failed(claimed, "reason");

        Assert.Equal(3, Names("failed").Length);
        Assert.Contains(name, Names("failed"));
    }
}
