using System.IO.Compression;
using System.Text;
using MassTransit.EntityFrameworkCoreIntegration;
using Npgsql;
using Sagas.IntegrationTests.Host;
using Sagas.Services.Files;

namespace Sagas.IntegrationTests.Alerts;

/// <summary>Files that are compressed, damaged or interrupted, and what is left of them for a person.</summary>
public sealed class AlertFileEndTests(ServersFixture servers) : IClassFixture<ServersFixture>
{
    private static readonly object _unlimited = new { perSecond = 0 };

    [Fact]
    public async Task Files_with_and_without_a_header_alert_their_users_and_tell_which_rows_are_none()
    {
        await using var system = await AlertSystem.StartAsync(servers, _unlimited);

        system.Drop("header.csv", "alert_message,user_id", "\"Placed, and\nshipped\",125", "no user,", "Zoë ✓,126", "one,too,many", ",127");
        system.Drop("plain.csv", "128,Order has been placed", "129,\"He said \"\"hi\"\"\"");

        await system.WaitForStateAsync("delivered", 4);
        Assert.Equal(
            [("125", "Placed, and\nshipped"), ("126", "Zoë ✓"), ("128", "Order has been placed"), ("129", "He said \"hi\"")],
            (await system.AlertedAsync()).Select(record => (record.UserId, record.AlertMessage)).OrderBy(alert => alert.UserId));
        await system.UntilDoneAsync("header.csv");
        await system.UntilDoneAsync("plain.csv");
        var rejects = await File.ReadAllLinesAsync(Path.Combine(system.Folder, "done", "header.rejects.csv"));
        Assert.Equal(["line", "4", "6", "7"], rejects.Select(row => row.Split(',')[0]));
        Assert.Equal(3, await system.Services.QueryAsync<long>("SELECT rejected FROM alert_files_overview WHERE name = 'header.csv'"));
        Assert.Equal(2, await system.Services.QueryAsync<long>("SELECT line FROM alert_delivery WHERE user_id = '125'"));
        Assert.False(File.Exists(Path.Combine(system.Folder, "done", "plain.rejects.csv")));
    }

    [Fact]
    public async Task A_file_that_cannot_be_used_is_put_aside_with_the_reason()
    {
        await using var system = await AlertSystem.StartAsync(servers, _unlimited);

        system.Drop("columns.csv", "userId,text_of_alert", "125,a");
        var cut = Gzip(string.Concat(Enumerable.Range(0, 20_000).Select(n => $"{n * 7919},x\n")))[..20_000];
        await File.WriteAllBytesAsync(Path.Combine(system.Folder, "cut.csv.gz.part"), cut);
        File.Move(Path.Combine(system.Folder, "cut.csv.gz.part"), Path.Combine(system.Folder, "cut.csv.gz"));

        var reason = Path.Combine(system.Folder, "failed", "columns.csv.reason.txt");
        await AlertSystem.UntilAsync(() => File.Exists(reason) && File.ReadAllText(reason).Contains("alertMessage", StringComparison.Ordinal));
        await AlertSystem.UntilAsync(() => File.Exists(Path.Combine(system.Folder, "failed", "cut.csv.gz.reason.txt")));
        Assert.Equal("failed", await system.Services.QueryAsync<string>("SELECT state FROM alert_files_overview WHERE name = 'columns.csv'"));
        Assert.Equal(0, await system.Services.QueryAsync<long>("SELECT rows FROM alert_files_overview WHERE name = 'columns.csv'"));
        // What comes before the cut is entered.
        Assert.Equal(RowsBefore(cut), await system.Services.QueryAsync<long>("SELECT rows FROM alert_files_overview WHERE name = 'cut.csv.gz'"));
    }

    [Fact]
    public async Task A_compressed_file_goes_on_where_it_was_when_its_reader_ended_or_was_killed()
    {
        const int rows = 3_000;
        // The receiver takes three hundred and then asks for a pause of a quarter of an hour: there the reader stands still.
        await using var system = await AlertSystem.StartAsync(
            servers, new { perSecond = 0.001, burst = 300 }, ("Alerts:Limit:PerSecond", "600"), ("Alerts:RowsAhead", "40"), ("Alerts:RowsUndelivered", "400"));
        var content = Gzip("userId,alertMessage\n" + string.Concat(Enumerable.Range(1, rows).Select(number => $"{number},m{number}\n")));
        await File.WriteAllBytesAsync(Path.Combine(system.Folder, "users.csv.gz.part"), content);
        File.Move(Path.Combine(system.Folder, "users.csv.gz.part"), Path.Combine(system.Folder, "users.csv.gz"));

        await system.Services.WaitForAsync("SELECT EXISTS (SELECT FROM ledger_limit WHERE paused_until > now() + interval '5 minutes')", true);
        await system.Services.StopAsync();
        await system.BehaveAsync(_unlimited);
        await system.Services.ExecuteAsync("UPDATE ledger_limit SET paused_until = NULL, next_slot = now()");
        await system.Services.ExecuteAsync("UPDATE ledger SET due = now() WHERE due IS NOT NULL");
        Assert.InRange(await system.Services.QueryAsync<long>("SELECT next_offset FROM alert_files_overview"), 1000, 30_000);
        // Another process reads it, until it is killed: its claim goes with its connection.
        await using (var other = NpgsqlDataSource.Create(system.Services.Settings["ConnectionStrings:Postgres"]!))
        {
            var file = await system.Services.QueryAsync<Guid>("SELECT file_id FROM file");
            Assert.NotNull(await new FileRegister(other).TryClaimAsync(file, CancellationToken.None));
            var entered = await system.Services.QueryAsync<long>("SELECT rows FROM alert_files_overview");
            // Not renamed into place, so that it is taken no sooner than the other.
            await File.WriteAllLinesAsync(Path.Combine(system.Folder, "later.csv"), Enumerable.Range(rows + 1, 100).Select(number => $"{number},m"));
            await system.Services.StartAsync();
            await system.UntilDoneAsync("later.csv");
            Assert.Equal(entered, await system.Services.QueryAsync<long>("SELECT rows FROM alert_files_overview WHERE name = 'users.csv.gz'"));
            await system.Services.ExecuteAsync(
                $"SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND classid = {AdvisoryLocks.File} AND granted");
        }

        await system.UntilDoneAsync("users.csv.gz");
        await system.WaitForStateAsync("delivered", rows + 100);
        var alerted = await system.AlertedAsync();
        Assert.Equal(Enumerable.Range(1, rows + 100), alerted.Select(record => int.Parse(record.UserId!, null)).Order());
    }

    [Fact]
    public async Task While_the_receiver_takes_nothing_no_more_is_entered_than_configured()
    {
        await using var system = await AlertSystem.StartAsync(
            servers, new { perSecond = 0, answer = 500 }, ("Alerts:RowsAhead", "100"), ("Alerts:RowsUndelivered", "300"), ("Alerts:Calls:BreakCap", "00:00:01"));

        system.Drop("users.csv", Enumerable.Range(1, 5_000).Select(number => $"{number},m"));
        await AlertSystem.UntilAsync(async () => await system.Services.QueryAsync<long>("SELECT count(*) FROM ledger") >= 20);
        for (var look = 0; look < 20; look++, await Task.Delay(50))
            Assert.InRange(await system.Services.QueryAsync<long>("SELECT count(*) FROM ledger"), 1, 300);
        Assert.True(File.Exists(Path.Combine(system.Folder, "users.csv")));
    }

    private static long RowsBefore(byte[] cut)
    {
        using var text = new GZipStream(new MemoryStream(cut), CompressionMode.Decompress);
        var rows = 0L;
        try
        {
            for (var next = text.ReadByte(); next >= 0; next = text.ReadByte())
                rows += next == '\n' ? 1 : 0;
        }
        catch (InvalidDataException)
        {
            // Here it is cut.
        }

        return rows;
    }

    private static byte[] Gzip(string text)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest))
            gzip.Write(Encoding.UTF8.GetBytes(text));
        return compressed.ToArray();
    }
}
