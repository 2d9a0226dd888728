namespace Sagas.TestSupport.Chaos;

/// <summary>The disturbances of one target.</summary>
internal sealed class DisturbanceTrack(IEnumerable<Disturbance> disturbances)
{
    private readonly Queue<Disturbance> _left = new(disturbances.OrderBy(disturbance => disturbance.Moment));
    private Task _running = Task.CompletedTask;

    public bool IsOver => _left.Count == 0 && _running.IsCompletedSuccessfully;

    /// <summary>Starts the next one, once the one before it has ended and its moment has come.</summary>
    public async Task AdvanceAsync(double done, Action<string> say)
    {
        if (!_running.IsCompleted)
            return;
        await _running;
        if (!_left.TryPeek(out var next) || done < next.Moment)
            return;
        _left.Dequeue();
        say($"{next.Moment:P0}: {next.What} {next.Target}");
        _running = next.ActAsync();
    }
}
