namespace Sagas.IntegrationTests.Alerts;

/// <summary>Longer versions of a file, and files that change while they are read.</summary>
public sealed class FileVersionTests(FileVersionTests.Shared shared) : IClassFixture<FileVersionTests.Shared>
{
    private AlertSystem System => shared.System;

    [Fact]
    public async Task A_longer_version_of_a_file_sends_only_the_rows_that_are_new()
    {
        System.Drop("long-1.csv", "long-1,a", "long-2,b", ",nobody");
        await System.UntilMovedAsync("done/long-1.csv");

        // The same rows, however they are written.
        System.Drop(
            "long-2.csv.gz",
            AlertSystem.Gzip("\"userId\";\"alertMessage\"\r\n\"long-1\";\"a\"\r\nlong-2;b\r\n;nobody\r\nlong-3;c\r\n")
        );
        await System.UntilMovedAsync("done/long-2.csv.gz");
        System.Drop("long-3.csv", "long-1,a", "long-2,b", "long-3,c", "long-1,a");
        await System.UntilMovedAsync("done/long-3.csv");

        await AlertedAsync("long-", "long-1 a", "long-1 a", "long-2 b", "long-3 c");
        Assert.Equal(
            "completed 4 1 1 2, completed 4 1 0 3",
            await System.Services.QueryAsync<string>(
                """
                SELECT string_agg(concat_ws(' ', state, rows, added, rejected, unchanged), ', ' ORDER BY name)
                FROM files_overview WHERE name IN ('long-2.csv.gz', 'long-3.csv')
                """
            )
        );
    }

    [Fact]
    public async Task A_file_that_only_begins_alike_is_sent_whole()
    {
        System.Drop("alike-1.csv", "alike-1,a", "alike-2,b");
        await System.UntilMovedAsync("done/alike-1.csv");
        System.Drop("alike-2.csv", "alike-1,a", "alike-3,b", "alike-2,b");
        await System.UntilMovedAsync("done/alike-2.csv");

        await AlertedAsync("alike-", "alike-1 a", "alike-1 a", "alike-2 b", "alike-2 b", "alike-3 b");
    }

    [Fact]
    public async Task A_longer_version_waits_for_the_shorter_one_that_is_being_read()
    {
        const string shorter = "(SELECT file_id FROM file WHERE name = 'both-1.csv')";
        var postgres = System.Services.Settings["ConnectionStrings:Postgres"]!;
        await AdvisoryLockGate.BuildAsync(
            postgres,
            "file_progress",
            "BEFORE UPDATE",
            $"NEW.file_id = {shorter}",
            forEachRow: true
        );
        await using (var gate = await AdvisoryLockGate.CloseAsync(postgres))
        {
            System.Drop("both-1.csv", "both-1,x", "both-2,x");
            await gate.ReachedAsync();
            System.Drop("both-2.csv", "both-1,x", "both-2,x", "both-3,x");
            await System.Services.WaitForAsync(
                "SELECT count(*) FROM alert_file_rows JOIN file USING (file_id) WHERE name LIKE 'both-%'",
                2L
            );
            // A file after it has no reason to wait.
            System.Drop("other.csv", "other-1,x");
            await System.UntilMovedAsync("done/other.csv");
        }
        await System.UntilMovedAsync("done/both-2.csv");

        await AlertedAsync("both-", "both-1 x", "both-2 x", "both-3 x");
    }

    [Fact]
    public async Task A_row_that_was_cut_is_sent_again_when_the_file_has_the_whole_of_it()
    {
        System.Drop("cut-1.csv", "cut-1,Hello\ncut-2,Hel"u8.ToArray());
        await System.UntilMovedAsync("done/cut-1.csv");
        System.Drop("cut-2.csv", "cut-1,Hello\ncut-2,Hello\ncut-3,Hello\n"u8.ToArray());
        await System.UntilMovedAsync("done/cut-2.csv");

        await AlertedAsync("cut-", "cut-1 Hello", "cut-2 Hel", "cut-2 Hello", "cut-3 Hello");
    }

    [Fact]
    public async Task A_writer_that_pauses_for_longer_than_the_settle_delay_loses_no_row_and_repeats_none()
    {
        await using var writer = new StreamWriter(Path.Combine(System.Folder, "pause.csv")) { AutoFlush = true };
        for (var row = 1; row <= 3; row++)
        {
            await writer.WriteAsync($"pause-{row},x\n");
            await System.WaitForStateAsync("delivered", row, "user_id LIKE 'pause-%'");
        }

        await System.UntilMovedAsync("done/pause.csv");
        await AlertedAsync("pause-", "pause-1 x", "pause-2 x", "pause-3 x");
    }

    [Fact]
    public async Task Another_file_of_the_same_name_is_sent_too()
    {
        System.Drop("name.csv", Enumerable.Range(1, 200).Select(number => $"name-a-{number},x"));
        await Eventually.TrueAsync("the first is claimed", () => !File.Exists(Path.Combine(System.Folder, "name.csv")));
        System.Drop("name.csv", Enumerable.Range(1, 200).Select(number => $"name-b-{number},x"));

        await System.WaitForStateAsync("delivered", 400, "user_id LIKE 'name-%'");
        await System.UntilMovedAsync("done/name.csv");
        await System.UntilMovedAsync("done/name.2.csv");
    }

    private async Task AlertedAsync(string users, params string[] expected)
    {
        await System.WaitForStateAsync("delivered", expected.Length, $"user_id LIKE '{users}%'");
        Assert.Equal(
            expected,
            (await System.AlertedAsync(users)).Select(record => $"{record.UserId} {record.AlertMessage}").Order()
        );
    }

    public sealed class Shared : SharedAlerts
    {
        private protected override (string Key, string? Value)[] Settings =>
            [("Alerts:SettleDelay", "00:00:00.2"), ("Alerts:PollInterval", "00:00:00.2")];
    }
}
