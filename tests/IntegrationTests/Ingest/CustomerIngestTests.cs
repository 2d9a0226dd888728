using Sagas.FileIntake;
using Sagas.FileIntake.Storage;
using Sagas.Services.Ingest;

namespace Sagas.IntegrationTests.Ingest;

public sealed class CustomerIngestTests(ServersFixture servers) : IClassFixture<ServersFixture>, IAsyncLifetime
{
    private const string Sample = "customers-1000.csv";

    private IngestDatabase _database = null!;

    public async Task InitializeAsync() => _database = await IngestDatabase.CreateAsync(servers);

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    [Trait("Category", "Smoke")]
    public async Task Every_record_of_the_sample_arrives_and_is_queued_for_the_CRM()
    {
        var lines = (await File.ReadAllLinesAsync(Path.Combine(AppContext.BaseDirectory, "Ingest", "Data", Sample)))
            .Skip(1)
            .ToArray();

        var result = await _database.IngestAsync(
            Sample,
            await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Ingest", "Data", Sample))
        );

        Assert.Equal(new FileCounts(1000, 0, 1000, 0), result.File.Counts);
        Assert.Equal(
            lines.Order(StringComparer.Ordinal),
            (
                await _database.ColumnAsync(
                    "SELECT concat_ws(',', customer_id, first_name, last_name, email, phone) FROM customer_state"
                )
            ).Order(StringComparer.Ordinal)
        );
        Assert.Equal(
            lines.Select(line => line.Split(',')[0]).Order(StringComparer.Ordinal),
            (await _database.QueuedAsync()).Order(StringComparer.Ordinal)
        );
        Assert.InRange(
            await _database.QueryAsync<int>(
                "SELECT max(json_array_length(body::json->'message'->'customerIds')) FROM outbox_message"
            ),
            1,
            500
        );
    }

    [Fact]
    public async Task The_same_content_changes_nothing_the_second_time_and_is_reported_as_completed()
    {
        await _database.IngestAsync("a.csv", "id,first_name\n1,Ada\n");
        var before = await EverythingAsync();

        var again = await _database.IngestAsync("b.csv", "id,first_name\n1,Ada\n");

        Assert.True(again.WasCompleted);
        Assert.Equal(new FileCounts(1, 0, 1, 0), again.File.Counts);
        Assert.Equal(before, await EverythingAsync());
    }

    [Fact]
    public async Task The_last_row_of_a_customer_wins_within_a_file_and_between_files()
    {
        var first = await _database.IngestAsync("a.csv", "id,first_name\n1,Ada\n2,Grace\n1,Augusta\n1,Augusta\n");
        var second = await _database.IngestAsync("b.csv", "id,first_name\n2,Grace\n1,Countess\n3,Barbara\n");

        Assert.Equal(new FileCounts(4, 0, 2, 1), first.File.Counts);
        Assert.Equal(new FileCounts(3, 0, 1, 1), second.File.Counts);
        Assert.Equal(
            ["1 Countess 3", "2 Grace 1", "3 Barbara 1"],
            await _database.ColumnAsync(
                "SELECT concat_ws(' ', customer_id, first_name, version) FROM customer_state ORDER BY customer_id"
            )
        );
    }

    [Fact]
    public async Task An_interrupted_file_continues_where_it_stopped()
    {
        const int Rows = 2_000;
        var path = _database.Write("large.csv", IngestDatabase.Customers(Rows, dirty: 0.02));
        var interruptions = 0;
        FileResult? result = null;
        while (result is null)
        {
            using var stop = new CancellationTokenSource();
            var batches = 0;
            try
            {
                result = await _database
                    .Processor(new IngestOptions { Partitions = 4, MaxBatchRows = 50 })
                    .ProcessAsync(path, _ => Cancel(stop, ++batches), stop.Token);
            }
            catch (OperationCanceledException)
            {
                interruptions++;
            }
        }

        Assert.InRange(interruptions, 2, 1000);
        var rejected = await _database.QueryAsync<long>("SELECT count(*) FROM file_reject");
        Assert.InRange(rejected, 20, 60);
        Assert.Equal(new FileCounts(Rows, rejected, Rows - rejected, 0), result.File.Counts);
        Assert.Equal(Rows - rejected, await _database.QueryAsync<long>("SELECT count(*) FROM customer_state WHERE version = 1"));
        Assert.Equal(Rows - rejected, await _database.QueryAsync<long>("SELECT count(*) FROM saga_history"));
        Assert.Equal(Rows - rejected, (await _database.QueuedAsync()).Distinct().Count());
        Assert.Equal(Rows - rejected, (await _database.QueuedAsync()).Length);

        static void Cancel(CancellationTokenSource stop, int batches)
        {
            if (batches == 6)
                stop.Cancel();
        }
    }

    [Fact]
    public async Task Two_processes_with_the_same_file_ingest_it_once()
    {
        const int Rows = 2_000;
        var path = _database.Write("large.csv", IngestDatabase.Customers(Rows));
        var options = new IngestOptions { Partitions = 2, MaxBatchRows = 100 };

        var results = await Task.WhenAll(
            _database.Processor(options).ProcessAsync(path, null, CancellationToken.None),
            _database.Processor(options).ProcessAsync(path, null, CancellationToken.None)
        );

        Assert.All(results, result => Assert.Equal(new FileCounts(Rows, 0, Rows, 0), result.File.Counts));
        Assert.Single(results, result => result.WasCompleted);
        Assert.Equal(Rows, await _database.QueryAsync<long>("SELECT count(*) FROM saga_history"));
    }

    [Fact]
    public async Task A_file_that_many_submit_at_the_same_time_is_new_to_one_of_them()
    {
        for (var round = 0; round < 20; round++)
        {
            var hash = $"{round:x64}";
            var submissions = Enumerable
                .Range(0, 8)
                .Select(_ => Task.Run(() => _database.Store.AddAsync("customers", "a.csv", hash, 1, null, default)));

            var results = await Task.WhenAll(submissions);

            Assert.Single(results, result => result.IsNew);
            Assert.Single(results.Select(result => result.File.FileId).Distinct());
        }
    }

    [Fact]
    public async Task Two_files_of_the_same_customers_at_once_leave_the_data_of_the_later_one()
    {
        const int Rows = 1_500;
        var first = _database.Write("a.csv", IngestDatabase.Customers(Rows, seed: 1));
        var second = _database.Write("b.csv", IngestDatabase.Customers(Rows, seed: 2));
        await _database.Store.AddAsync(
            "customers",
            "a.csv",
            await ContentHash.ComputeAsync(first, default),
            new FileInfo(first).Length,
            null,
            default
        );
        await _database.Store.AddAsync(
            "customers",
            "b.csv",
            await ContentHash.ComputeAsync(second, default),
            new FileInfo(second).Length,
            null,
            default
        );

        // With different partitions and batches, so that they overlap in many ways.
        await Task.WhenAll(
            _database
                .Processor(new IngestOptions { Partitions = 4, MaxBatchRows = 105 })
                .ProcessAsync(first, null, CancellationToken.None),
            _database
                .Processor(new IngestOptions { Partitions = 2, MaxBatchRows = 45 })
                .ProcessAsync(second, null, CancellationToken.None)
        );

        var expected = (await File.ReadAllLinesAsync(second))
            .Skip(1)
            .Select(line => line.Replace("\"", "", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);
        Assert.Equal(
            expected,
            (
                await _database.ColumnAsync(
                    "SELECT concat_ws(',', customer_id, first_name, last_name, email, phone) FROM customer_state"
                )
            ).Order(StringComparer.Ordinal)
        );
        Assert.Equal(Rows, (await _database.QueuedAsync()).Length);
    }

    [Fact]
    public async Task Too_many_rejects_fail_a_file_and_a_higher_limit_lets_it_continue()
    {
        var rows = string.Concat(
            Enumerable.Range(1, 4000).Select(n => n % 3 == 0 ? $"{n},no address\n" : $"{n},{n}@example.org\n")
        );

        var failed = await _database.IngestAsync("a.csv", "id,email\n" + rows);
        var done = await _database.IngestAsync("a.csv", "id,email\n" + rows, new IngestOptions { MaxRejectRatio = 0.5 });

        Assert.Equal(FileState.Failed, failed.File.State);
        Assert.Contains(
            "rows were rejected, more than MaxRejectRatio allows (10 %)",
            failed.File.Reason,
            StringComparison.Ordinal
        );
        Assert.InRange(failed.File.Counts.Rows, 1000, 2000);
        Assert.Equal(FileState.Completed, done.File.State);
        Assert.Equal(new FileCounts(4000, 1333, 2667, 0), done.File.Counts);
        Assert.Equal(2667, await _database.QueryAsync<long>("SELECT count(*) FROM saga_history"));
    }

    [Fact]
    public async Task Rejected_rows_are_listed_with_line_column_and_reason()
    {
        var path = _database.Write(
            "a.csv",
            "Customer ID;Vorname;E-Mail\n1;Ada;ada@example.org\n;Nobody;\n2;\"Grace\nHopper\";grace\n3;x\n\"4;x;\n5;Zoë;\n"
        );
        var result = await _database
            .Processor(new IngestOptions { Columns = new Dictionary<string, string> { ["FirstName"] = "Vorname" } })
            .ProcessAsync(path, null, CancellationToken.None);

        var file = path + ".rejects.csv";
        Assert.True(await new RejectedRows(_database.Source).WriteFileAsync(result.File.FileId, file, CancellationToken.None));

        Assert.Equal(new FileCounts(6, 4, 2, 0), result.File.Counts);
        Assert.Equal(
            """"
            line,column,reason,record
            3,Customer ID,is empty,;Nobody;
            4,Vorname,contains a control character,"2;""Grace
            Hopper"";grace"
            6,,has 2 fields where the header has 3,3;x
            7,Customer ID,a quote is opened and never closed,"""4;x;"

            """",
            (await File.ReadAllTextAsync(file)).ReplaceLineEndings("\n")
        );
        Assert.Equal(
            ["1 Ada", "5 Zoë"],
            await _database.ColumnAsync("SELECT concat_ws(' ', customer_id, first_name) FROM customer_state ORDER BY customer_id")
        );
    }

    [Theory]
    [InlineData("", "The file is empty.")]
    [InlineData("name,phone\nAda,1\n", "The first line is not a valid header: it has no column named customer_id or id or ")]
    [InlineData("id,mail,e-mail\n1,a@b.de,a@b.de\n", "Two columns of the header mean email: 'mail' and 'e-mail'.")]
    public async Task A_file_without_a_valid_header_is_invalid_as_a_whole(string content, string reason)
    {
        var result = await _database.IngestAsync("a.csv", content);

        Assert.Equal(FileState.Invalid, result.File.State);
        Assert.StartsWith(reason, result.File.Reason, StringComparison.Ordinal);
        Assert.Equal(0, await _database.QueryAsync<long>("SELECT count(*) FROM customer_state"));
    }

    private async Task<string> EverythingAsync() =>
        await _database.QueryAsync<string>(
            """
            SELECT concat(
                (SELECT jsonb_agg(c) FROM customer_state c),
                (SELECT jsonb_agg(t) FROM saga_transition t),
                (SELECT jsonb_agg(o) FROM outbox_message o),
                (SELECT jsonb_agg(f) FROM file f),
                (SELECT jsonb_agg(p) FROM file_progress p))
            """
        );
}
