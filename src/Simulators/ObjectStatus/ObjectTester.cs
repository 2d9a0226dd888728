using System.Globalization;

namespace Sagas.Simulators.ObjectStatus;

/// <summary>Posts random ids to a callback repeatedly, and cancels each post after a second.</summary>
internal sealed partial class ObjectTester(
    ObjectStatusOptions options,
    ObjectBooks books,
    TimeProvider timeProvider,
    ILogger<ObjectTester> logger
) : BackgroundService
{
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var client = new HttpClient { Timeout = _timeout };
        using var timer = new PeriodicTimer(options.PostInterval, timeProvider);
        do await PostAsync(client, stoppingToken);
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task PostAsync(HttpClient client, CancellationToken stoppingToken)
    {
        var ids = Enumerable
            .Range(0, Random.Shared.Next(options.MaxIds + 1))
            .Select(_ => Random.Shared.Next(options.IdsBelow))
            .ToArray();
        var accepted = false;
        var outcome = "";
        try
        {
            using var response = await client.PostAsJsonAsync(options.CallbackUrl, new { object_ids = ids }, stoppingToken);
            accepted = response.IsSuccessStatusCode;
            outcome = $"answered {(int)response.StatusCode}";
        }
        catch (Exception exception)
            when (exception is HttpRequestException or OperationCanceledException && !stoppingToken.IsCancellationRequested)
        {
            outcome = exception.Message;
        }

        books.Posted(ids.Select(id => id.ToString(CultureInfo.InvariantCulture)), accepted);
        if (!accepted)
            LogNotAccepted(logger, ids.Length, options.CallbackUrl, outcome);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A post of {Count} ids to {Url} was not accepted: {Outcome}")]
    private static partial void LogNotAccepted(ILogger logger, int count, string? url, string outcome);
}
