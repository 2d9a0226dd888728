using Sagas.Persistence;

namespace Sagas.UnitTests.Persistence;

public sealed class TurnsTests
{
    private static readonly (Type, Guid) _thing = (typeof(string), Guid.NewGuid());

    private readonly Turns _turns = new();

    [Fact]
    public async Task Turns_at_one_thing_come_one_after_the_other_in_their_order()
    {
        await _turns.TakeAsync(_thing, default);
        var second = _turns.TakeAsync(_thing, default).AsTask();
        var third = _turns.TakeAsync(_thing, default).AsTask();
        Assert.False(second.IsCompleted);

        _turns.Release(_thing);
        await second;
        Assert.False(third.IsCompleted);

        _turns.Release(_thing);
        await third;
    }

    [Fact]
    public async Task Turns_at_other_things_do_not_wait()
    {
        await _turns.TakeAsync(_thing, default);
        await _turns.TakeAsync((typeof(int), _thing.Item2), default);
        await _turns.TakeAsync((typeof(string), Guid.NewGuid()), default);
    }

    [Fact]
    public async Task A_turn_that_is_no_longer_wanted_is_passed_on()
    {
        using var cancelled = new CancellationTokenSource();
        await _turns.TakeAsync(_thing, default);
        var second = _turns.TakeAsync(_thing, cancelled.Token).AsTask();
        var third = _turns.TakeAsync(_thing, default).AsTask();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);

        _turns.Release(_thing);
        await third;
        _turns.Release(_thing);
        await _turns.TakeAsync(_thing, default);
    }
}
