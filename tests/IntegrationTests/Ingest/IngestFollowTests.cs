using Sagas.IntegrationTests.CommandLine;
using Sagas.IntegrationTests.Crm;

namespace Sagas.IntegrationTests.Ingest;

/// <summary><c>sagas files ingest --follow</c>.</summary>
/// <remarks>Where no CRM runs, SQL changes the customers in its place, so that the test sets the order.</remarks>
public sealed class IngestFollowTests(ServersFixture servers) : IClassFixture<ServersFixture>, IAsyncLifetime
{
    private IngestDatabase _database = null!;

    public async Task InitializeAsync() => _database = await IngestDatabase.CreateAsync(servers);

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task It_waits_for_the_customers_of_the_named_files_only()
    {
        await _database.IngestAsync("others.csv", "id\n7\n8\n9\n");
        var first = _database.Write("a.csv", "id,first_name\n1,Ada\n2,Grace\n1,Augusta\n,nobody\n");
        var second = _database.Write("b.csv", "id\n3\n");

        await using var follow = RunningCommand.Start(_database.ConnectionString, "files", "ingest", first, second, "--follow");
        await follow.SaysAsync("CRM: 0 of 4 rows synced, 0 failed");
        await _database.ExecuteAsync("UPDATE customer_state SET current_state = 'Synced' WHERE customer_id IN ('1', '3')");
        Assert.False(follow.ExitCode.IsCompleted);
        await _database.ExecuteAsync("UPDATE customer_state SET current_state = 'Synced' WHERE customer_id = '2'");
        var run = await follow.EndsAsync();

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.EndsWith($"The CRM has the customers of all 4 rows.{Environment.NewLine}", run.Error, StringComparison.Ordinal);
        Assert.Equal(3, await _database.QueryAsync<long>("SELECT count(*) FROM customer_state WHERE current_state = 'Syncing'"));
    }

    [Fact]
    public async Task A_file_that_was_ingested_before_is_followed_without_waiting_for_synced_customers()
    {
        var file = _database.Write("a.csv", "id\n1\n2\n");
        await _database.IngestAsync("a.csv", "id\n1\n2\n");
        await _database.ExecuteAsync("UPDATE customer_state SET current_state = 'Synced' WHERE customer_id = '1'");

        await using var follow = RunningCommand.Start(_database.ConnectionString, "files", "ingest", file, "--follow");
        await follow.SaysAsync("CRM: 1 of 2 rows synced, 0 failed");
        await _database.ExecuteAsync("UPDATE customer_state SET current_state = 'Synced'");
        var run = await follow.EndsAsync();

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Contains(
            "the same content was ingested before (2 rows: 2 new, 0 changed, 0 unchanged, 0 rejected); nothing was changed.",
            run.Output,
            StringComparison.Ordinal
        );
        Assert.Contains("The CRM has the customers of all 2 rows.", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Customers_that_could_not_be_synced_are_counted_and_fail_the_command()
    {
        var file = _database.Write("a.csv", "id\n1\n2\n3\n");
        await _database.IngestAsync("before.csv", "id\n3\n", crm: false);

        await using var follow = RunningCommand.Start(_database.ConnectionString, "files", "ingest", file, "--follow");
        await follow.SaysAsync("CRM: 0 of 3 rows synced, 0 failed");
        await _database.ExecuteAsync("UPDATE customer_state SET current_state = 'SyncFailed' WHERE customer_id = '1'");
        await _database.ExecuteAsync("UPDATE customer_state SET current_state = 'Synced' WHERE customer_id = '2'");
        var run = await follow.EndsAsync();

        Assert.Equal(1, run.ExitCode);
        Assert.Contains(
            "The CRM has the customers of 1 of 3 rows. "
                + "The sync of 1 failed: `sagas customers list --state SyncFailed`, `sagas customers retry`. "
                + "1 registered while the CRM was disabled: `sagas customers retry --registered`.",
            run.Error,
            StringComparison.Ordinal
        );
    }

    // More customers than one look-up reads, most of them synced when following begins.
    [Fact]
    public async Task A_file_larger_than_the_window_is_followed_to_its_end()
    {
        const int Rows = 52_000;
        var file = _database.Write("large.csv", "id\n" + string.Concat(Enumerable.Range(1, Rows).Select(id => $"{id}\n")));
        await _database.Processor().ProcessAsync(file, null, CancellationToken.None);
        await _database.ExecuteAsync("UPDATE customer_state SET current_state = 'Synced' WHERE customer_id::int % 3 > 0");

        await using var follow = RunningCommand.Start(_database.ConnectionString, "files", "ingest", file, "--follow");
        await follow.SaysAsync("rows synced, 0 failed");
        await _database.ExecuteAsync("UPDATE customer_state SET current_state = 'Synced' WHERE current_state = 'Syncing'");
        var run = await follow.EndsAsync();

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Contains("The CRM has the customers of all 52,000 rows.", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_ends_when_the_CRM_has_all_customers()
    {
        await using var system = await CrmSystem.StartAsync(servers);
        await system.SetFaultsAsync(new { failBefore = 0.2, lostAfter = 0.1 });
        var file = _database.Write("a.csv", "id\n" + string.Concat(Enumerable.Range(1, 40).Select(id => $"{id}\n")));

        await using var follow = RunningCommand.Start(system.Postgres, "files", "ingest", file, "--follow");
        var run = await follow.EndsAsync();

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Contains("The CRM has the customers of all 40 rows.", run.Error, StringComparison.Ordinal);
    }
}
