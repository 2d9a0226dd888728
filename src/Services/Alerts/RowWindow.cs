namespace Sagas.Services.Alerts;

/// <summary>
/// How many rows of a file may be ahead of their delivery: about two seconds' worth at the pace at which they are
/// delivered. More would keep other files waiting behind them, fewer would leave the receiver without work.
/// </summary>
internal sealed class RowWindow(int maxAhead, int maxUndelivered, TimeProvider timeProvider)
{
    private const int MinSize = 20;
    private const double Seconds = 2;

    // The samples of a second count for about two thirds of the pace.
    private const double Memory = 1;

    private double _perSecond;
    private int _size = Math.Min(MinSize, maxAhead);
    private int _undelivered;
    private long _lookedAt = timeProvider.GetTimestamp();

    /// <summary>How many more rows to enter.</summary>
    /// <param name="open">What is under way now.</param>
    public int Room(OpenRows open)
    {
        var now = timeProvider.GetTimestamp();
        var seconds = Math.Max(timeProvider.GetElapsedTime(_lookedAt, now).TotalSeconds, 0.001);
        var delivered = Math.Max(0, _undelivered - open.Undelivered);
        _perSecond += ((delivered / seconds) - _perSecond) * (1 - Math.Exp(-seconds / Memory));
        (_lookedAt, _undelivered) = (now, open.Undelivered);
        // Nothing is left to deliver: the pace is that of reading, not of the receiver.
        var wanted = open.Ahead * 5 < _size ? Math.Max(_size * 2, _perSecond * Seconds) : _perSecond * Seconds;
        _size = (int)Math.Clamp(wanted, Math.Min(MinSize, maxAhead), maxAhead);
        var room = Math.Min(_size - open.Ahead, maxUndelivered - open.Undelivered);
        // In pieces worth a transaction.
        return room * 4 < _size ? 0 : room;
    }

    /// <summary>Rows were entered.</summary>
    public void Entered(int rows) => _undelivered += rows;
}
