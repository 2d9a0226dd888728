using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Polly;
using Polly.CircuitBreaker;
using Sagas.OutboundCalls;

namespace Sagas.Services.ObjectStatus.Fetch;

/// <summary>Limits concurrent calls to the status API, retries with jitter, and while the API is down lets single calls through
/// to probe it.</summary>
internal sealed partial class StatusApiGate
{
    private const double BreakerRatio = 0.5;
    private const int BreakerMinimumCalls = 20;

    private static readonly TimeSpan _breakerSampling = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _minBreak = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _maxBreak = TimeSpan.FromSeconds(30);

    // Spreads the calls that waited for the breaker.
    private static readonly TimeSpan _spread = TimeSpan.FromSeconds(1);

    private readonly StatusApi _api;
    private readonly ObjectStatusOptions _options;
    private readonly TimeProvider _timeProvider;
    private readonly ObjectStatusMetrics _metrics;
    private readonly CancellationToken _stopping;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _permits;
    private readonly ResiliencePipeline<StatusAnswer> _breaker;
    private readonly CircuitBreakerStateProvider _state = new();

    public StatusApiGate(
        StatusApi api,
        IOptions<ObjectStatusOptions> options,
        TimeProvider timeProvider,
        ObjectStatusMetrics metrics,
        IHostApplicationLifetime lifetime,
        ILogger<StatusApiGate> logger
    )
    {
        (_api, _options, _timeProvider, _metrics, _stopping, _logger) = (
            api,
            options.Value,
            timeProvider,
            metrics,
            lifetime.ApplicationStopping,
            logger
        );
        _permits = new SemaphoreSlim(_options.MaxConcurrency);
        _breaker = new ResiliencePipelineBuilder<StatusAnswer> { TimeProvider = timeProvider }
            .AddCircuitBreaker(Breaker())
            .Build();
        metrics.Observe(
            () => _options.MaxConcurrency - _permits.CurrentCount,
            () => _state.CircuitState == CircuitState.Closed ? 0 : 1
        );
    }

    /// <summary>Makes the call, with retries.</summary>
    /// <param name="id">The object.</param>
    /// <returns>The answer; <see cref="StatusKind.Failed"/> when there is none after the configured attempts, or none
    /// for as long as a message is held.</returns>
    /// <exception cref="OperationCanceledException">The process stops, and no call was in flight.</exception>
    public async Task<StatusAnswer> AskAsync(string id)
    {
        var started = _timeProvider.GetTimestamp();
        for (var attempt = 1; ; )
        {
            var (answer, pause) = await TryAsync(id);
            if (answer is not null)
            {
                if (answer.Kind != StatusKind.Failed || attempt == _options.MaxAttempts)
                    return answer;
                pause = answer.RetryAfter ?? RetryDelay(attempt);
                attempt++;
            }

            if (_timeProvider.GetElapsedTime(started) + pause > _options.MaxHold)
                return answer ?? new(StatusKind.Failed, _timeProvider.GetUtcNow(), "the status API is down");
            await Task.Delay(pause, _timeProvider, _stopping);
        }
    }

    private async Task<(StatusAnswer? Answer, TimeSpan Pause)> TryAsync(string id)
    {
        await _permits.WaitAsync(_stopping);
        try
        {
            var started = _timeProvider.GetTimestamp();
            // Not cancelled by a stop: an answer is worth waiting for once the call is made.
            var answer = await _breaker.ExecuteAsync(
                static async (call, _) => await call.Api.GetAsync(call.Id),
                (Api: _api, Id: id),
                CancellationToken.None
            );
            _metrics.Called(answer.Kind, _timeProvider.GetElapsedTime(started));
            return (answer, TimeSpan.Zero);
        }
        catch (BrokenCircuitException broken)
        {
            return (null, (broken.RetryAfter ?? _minBreak) + (_spread * Random.Shared.NextDouble()));
        }
        finally
        {
            _permits.Release();
        }
    }

    private CircuitBreakerStrategyOptions<StatusAnswer> Breaker() =>
        new()
        {
            FailureRatio = BreakerRatio,
            MinimumThroughput = BreakerMinimumCalls,
            SamplingDuration = _breakerSampling,
            StateProvider = _state,
            ShouldHandle = ended => ValueTask.FromResult(ended.Outcome.Result is { Kind: StatusKind.Failed }),
            BreakDurationGenerator = failed =>
                ValueTask.FromResult(Backoff.Exponential(_minBreak, _maxBreak, failed.HalfOpenAttempts + 1)),
            OnOpened = broken =>
            {
                LogDown(_logger, broken.BreakDuration, broken.Outcome.Result?.Reason ?? "");
                return default;
            },
            OnClosed = _ =>
            {
                LogUp(_logger);
                return default;
            },
        };

    // Full jitter with twice the delay: the mean is the configured delay.
    private TimeSpan RetryDelay(int attempt) =>
        Backoff.FullJitter(_options.RetryDelay * 2, _options.MaxHold, attempt, Random.Shared.NextDouble());

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Circuit breaker of the status API opened for {Wait}: too many calls fail; messages wait: {Reason}"
    )]
    private static partial void LogDown(ILogger logger, TimeSpan wait, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Circuit breaker of the status API closed; calls resume")]
    private static partial void LogUp(ILogger logger);
}
