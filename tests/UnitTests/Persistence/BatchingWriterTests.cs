using Microsoft.Extensions.Time.Testing;
using Npgsql;
using Sagas.Persistence;

namespace Sagas.UnitTests.Persistence;

public sealed class BatchingWriterTests
{
    private readonly FakeTimeProvider _timeProvider = new();
    private readonly List<int[]> _batches = [];

    [Fact]
    public async Task Items_added_while_a_batch_is_written_become_the_next_batch()
    {
        var first = new TaskCompletionSource();
        var writer = Writer(new BatchingOptions(MaxBatchSize: 3), () => _batches.Count == 1 ? first.Task : Task.CompletedTask);
        var one = writer.WriteAsync(1);
        await Eventually.TrueAsync("the first batch is being written", () => Task.FromResult(Batches() == "1"));

        var others = Enumerable.Range(2, 4).Select(writer.WriteAsync).ToArray();
        Assert.False(one.IsCompleted);
        first.SetResult();
        await Task.WhenAll([one, .. others]);

        Assert.Equal("1; 2,3,4; 5", Batches());
    }

    [Fact]
    public async Task As_many_batches_as_allowed_are_written_in_parallel()
    {
        var release = new TaskCompletionSource();
        var writer = Writer(new BatchingOptions(MaxBatchSize: 1, MaxConcurrentBatches: 2), () => release.Task);

        var all = Enumerable.Range(1, 3).Select(writer.WriteAsync).ToArray();
        await Eventually.TrueAsync("two batches are being written", () => Task.FromResult(Count() == 2));
        release.SetResult();
        await Task.WhenAll(all);

        Assert.Equal(3, Count());
    }

    [Fact]
    public async Task A_batch_that_is_not_full_gathers_for_a_while()
    {
        var writer = Writer(new BatchingOptions(MaxBatchSize: 3, GatherDelay: TimeSpan.FromSeconds(1)), () => Task.CompletedTask);
        var both = Task.WhenAll(writer.WriteAsync(1), writer.WriteAsync(2));

        await Eventually.TrueAsync(
            "both are written",
            () =>
            {
                _timeProvider.Advance(TimeSpan.FromSeconds(1));
                return Task.FromResult(both.IsCompleted);
            }
        );

        Assert.Equal("1,2", Batches());
    }

    [Fact]
    public async Task Only_what_follows_a_batch_of_several_gathers_where_gathering_is_for_load()
    {
        var first = new TaskCompletionSource();
        var writer = Writer(
            new BatchingOptions(MaxBatchSize: 3, GatherDelay: TimeSpan.FromSeconds(1), GathersOnlyUnderLoad: true),
            () => _batches.Count == 2 ? first.Task : Task.CompletedTask
        );
        // The clock stands still: alone, an item waits for nothing.
        await writer.WriteAsync(1);
        var held = writer.WriteAsync(2);
        await Eventually.EqualAsync(2, () => _batches.Count);
        var several = Task.WhenAll(writer.WriteAsync(3), writer.WriteAsync(4), writer.WriteAsync(5));
        var later = writer.WriteAsync(6);
        first.SetResult();
        await Task.WhenAll(held, several);
        Assert.False(later.IsCompleted);

        await Eventually.TrueAsync(
            "the last is written",
            () =>
            {
                _timeProvider.Advance(TimeSpan.FromSeconds(1));
                return Task.FromResult(later.IsCompleted);
            }
        );
        Assert.Equal("1; 2; 3,4,5; 6", Batches());
    }

    [Fact]
    public async Task An_item_that_cannot_be_stored_fails_alone()
    {
        var release = new TaskCompletionSource();
        var writer = Writer(
            new BatchingOptions(MaxBatchSize: 3),
            async () =>
            {
                await release.Task;
                if (Last().Contains(2))
                    throw new PostgresException("", "ERROR", "ERROR", PostgresErrorCodes.NumericValueOutOfRange);
            }
        );
        var zero = writer.WriteAsync(0);
        var all = Enumerable.Range(1, 3).Select(writer.WriteAsync).ToArray();
        release.SetResult();

        await Assert.ThrowsAsync<PostgresException>(() => all[1]);
        await Task.WhenAll(zero, all[0], all[2]);
    }

    [Fact]
    public async Task Any_other_failure_fails_the_whole_batch()
    {
        var writer = Writer(new BatchingOptions(MaxBatchSize: 3), () => throw new NpgsqlException("gone", new IOException()));

        await Assert.ThrowsAsync<NpgsqlException>(() => writer.WriteAsync(1));
    }

    [Fact]
    public async Task A_completed_writer_writes_its_items_and_accepts_no_more()
    {
        var release = new TaskCompletionSource();
        var writer = Writer(new BatchingOptions(MaxBatchSize: 1), () => release.Task);
        var all = Task.WhenAll(writer.WriteAsync(1), writer.WriteAsync(2));

        var complete = writer.CompleteAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => writer.WriteAsync(3));
        Assert.False(complete.IsCompleted);
        release.SetResult();
        await complete;
        await all;

        Assert.Equal("1; 2", Batches());
        await Writer(new BatchingOptions(1), () => Task.CompletedTask).CompleteAsync();
    }

    private BatchingWriter<int> Writer(BatchingOptions options, Func<Task> write) =>
        new(
            options,
            batch =>
            {
                lock (_batches)
                    _batches.Add([.. batch]);
                return write();
            },
            _timeProvider
        );

    private string Batches()
    {
        lock (_batches)
            return string.Join("; ", _batches.Select(batch => string.Join(',', batch)));
    }

    private int Count()
    {
        lock (_batches)
            return _batches.Count;
    }

    private int[] Last()
    {
        lock (_batches)
            return _batches[^1];
    }
}
