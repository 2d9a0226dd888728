using System.Text;
using Sagas.FileIntake.Storage;
using Sagas.IntegrationTests.Alerts;
using Sagas.Services.Ingest;

namespace Sagas.IntegrationTests.Ingest;

/// <summary>Files that spreadsheets and concatenation make, and files that change while they are read.</summary>
public sealed class UnusualFileTests(ServersFixture servers) : IClassFixture<ServersFixture>, IAsyncLifetime
{
    private IngestDatabase _database = null!;

    public async Task InitializeAsync() => _database = await IngestDatabase.CreateAsync(servers);

    public async Task DisposeAsync() => await _database.DisposeAsync();

    public static TheoryData<string, byte[]> MadeBySpreadsheets =>
        new()
        {
            { "cr-only.csv", "id,first_name,email\r1,Ada,ada@example.org\r2,Bob,bob@example.org\r"u8.ToArray() },
            { "sep.csv", "sep=;\r\nid;first_name\r\n1;Ada\r\n2;Bob\r\n"u8.ToArray() },
            {
                "empty-rows.csv",
                Encoding.ASCII.GetBytes("id,first_name\n1,Ada\n2,Bob\n" + string.Concat(Enumerable.Repeat(",\n", 3_000)))
            },
            { "members.csv.gz", [.. AlertSystem.Gzip("id,first_name\n1,Ada\n"), .. AlertSystem.Gzip("id,first_name\n2,Bob\n")] },
            { "concatenated.csv", Encoding.UTF8.GetBytes("\uFEFFid,first_name\n1,Ada\n\uFEFFid,first_name\n2,Bob\n\u001A") },
        };

    [Theory]
    [MemberData(nameof(MadeBySpreadsheets))]
    public async Task What_spreadsheets_and_concatenation_make_is_ingested_without_rejects(string name, byte[] content)
    {
        var result = await _database.IngestAsync(name, content);

        Assert.Equal((FileState.Completed, new FileCounts(2, 0, 2, 0)), (result.File.State, result.File.Counts));
        Assert.Equal(
            ["1 Ada", "2 Bob"],
            await _database.ColumnAsync("SELECT concat_ws(' ', customer_id, first_name) FROM customer_state ORDER BY customer_id")
        );
    }

    [Fact]
    public async Task A_file_that_grows_while_it_is_read_is_read_to_its_new_end()
    {
        var path = _database.Write("a.csv", "id,first_name\n1,Ada\n2,Gra");
        var options = new IngestOptions { Partitions = 1, SettleDelay = TimeSpan.Zero };
        var grown = false;

        var result = await _database
            .Processor(options)
            .ProcessAsync(
                path,
                _ =>
                {
                    if (!grown)
                        File.AppendAllText(path, "ce\n3,Barbara\n");
                    grown = true;
                },
                CancellationToken.None
            );

        Assert.Equal((FileState.Completed, new FileInfo(path).Length), (result.File.State, result.File.Length));
        Assert.Equal(
            ["1 Ada", "2 Grace", "3 Barbara"],
            await _database.ColumnAsync("SELECT concat_ws(' ', customer_id, first_name) FROM customer_state ORDER BY customer_id")
        );
    }

    [Fact]
    public async Task A_file_that_is_replaced_while_it_is_read_is_read_again_and_the_old_content_is_not_completed()
    {
        var path = _database.Write("a.csv", "id,first_name\n1,Ada\n");
        var options = new IngestOptions { Partitions = 1, SettleDelay = TimeSpan.Zero };
        var replaced = false;

        var result = await _database
            .Processor(options)
            .ProcessAsync(
                path,
                _ =>
                {
                    if (!replaced)
                        File.WriteAllText(path, "id,first_name\n2,Bob\n");
                    replaced = true;
                },
                CancellationToken.None
            );

        Assert.Equal(FileState.Completed, result.File.State);
        Assert.Equal(
            ["completed ", "failed The file was changed while it was read."],
            await _database.ColumnAsync("SELECT concat(state, ' ', reason) FROM file ORDER BY 1")
        );
        Assert.Equal("Bob", await _database.QueryAsync<string>("SELECT first_name FROM customer_state WHERE customer_id = '2'"));
    }
}
