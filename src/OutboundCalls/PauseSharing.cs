using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Sagas.OutboundCalls;

/// <summary>Records the pauses of a target that has no shared limit, so that operators see and end them.</summary>
internal sealed partial class PauseSharing(
    string target,
    TargetPause pause,
    IServiceScopeFactory scopes,
    TimeProvider timeProvider,
    ILogger logger
)
{
    // Shorter ones are over before anybody could end them.
    private static readonly TimeSpan _shortest = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private long _recordedUntil = long.MinValue;

    /// <summary>The target asked for a pause.</summary>
    public async ValueTask RecordAsync(TimeSpan asked, string reason, CancellationToken cancellationToken)
    {
        if (asked < _shortest || !IsLonger(asked))
            return;
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            var database = scope.ServiceProvider.GetRequiredService<DbContext>();
            pause.Share(await PauseStore.RecordAsync(database, target, asked, reason, cancellationToken));
        }
#pragma warning disable CA1031 // This process waits all the same.
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogNotShared(exception, target, reason);
        }
    }

    // Calls that are in flight together ask for the same pause.
    private bool IsLonger(TimeSpan asked)
    {
        lock (_lock)
        {
            var until = timeProvider.GetTimestamp() + (long)(asked.TotalSeconds * timeProvider.TimestampFrequency);
            if (pause.Remaining > TimeSpan.Zero && _recordedUntil != long.MinValue)
            {
                var slack = (long)(_shortest.TotalSeconds * timeProvider.TimestampFrequency);
                if (until <= _recordedUntil + slack)
                    return false;
            }

            _recordedUntil = until;
            return true;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The pause of {Target} could not be recorded: {Reason}")]
    private partial void LogNotShared(Exception exception, string target, string reason);
}
