using System.IO.Compression;
using System.Text;
using Sagas.FileIntake;
using Sagas.FileIntake.Storage;

namespace Sagas.IntegrationTests.Ingest;

public sealed class CompressedIngestTests(ServersFixture servers) : IClassFixture<ServersFixture>, IAsyncLifetime
{
    private const int Rows = 3_000;

    private IngestDatabase _database = null!;

    public async Task InitializeAsync() => _database = await IngestDatabase.CreateAsync(servers);

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task A_compressed_file_of_several_members_is_read_to_its_end()
    {
        var lines = IngestDatabase.Customers(Rows).Split('\n');
        byte[] content = [.. Gzip(lines[..1000]), .. Gzip(lines[1000..2500]), .. Gzip(lines[2500..^1]), .. new byte[512]];

        var result = await _database.IngestAsync("members.csv.gz", content);

        Assert.Equal(FileState.Completed, result.File.State);
        Assert.Equal(new FileCounts(Rows, 0, Rows, 0), result.File.Counts);
        Assert.Equal(Rows, await _database.QueryAsync<long>("SELECT count(*) FROM customer_state"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_truncated_or_damaged_compressed_file_fails_after_the_rows_before_the_defect(bool isCut)
    {
        var lines = IngestDatabase.Customers(Rows).Split('\n');
        byte[] content = [.. Gzip(lines[..2001]), .. Gzip(lines[2001..^1])];
        var first = Gzip(lines[..2001]).Length;
        var damaged = isCut ? content[..(first + 2)] : (byte[])content.Clone();
        if (!isCut)
            damaged[first - 7] ^= 1;

        var failed = await _database.IngestAsync("a.csv.gz", damaged);
        var again = await _database.IngestAsync("a.csv.gz", damaged);
        var whole = await _database.IngestAsync("a.csv.gz", content);

        Assert.Equal(FileState.Failed, failed.File.State);
        Assert.Contains(isCut ? "was cut off" : "is damaged", failed.File.Reason, StringComparison.Ordinal);
        Assert.Equal(new FileCounts(2000, 0, 2000, 0), failed.File.Counts);
        Assert.Equal(
            (failed.File.State, failed.File.Reason, failed.File.Counts),
            (again.File.State, again.File.Reason, again.File.Counts)
        );
        Assert.Equal(FileState.Completed, whole.File.State);
        Assert.Equal(new FileCounts(Rows, 0, 1000, 0), whole.File.Counts);
        Assert.Equal(Rows, await _database.QueryAsync<long>("SELECT count(*) FROM customer_state WHERE version = 1"));
    }

    private static byte[] Gzip(string[] lines)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest))
            gzip.Write(Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n"))));
        return compressed.ToArray();
    }
}
