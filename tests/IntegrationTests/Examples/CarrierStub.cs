using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Sagas.IntegrationTests.Examples;

/// <summary>A carrier that honours <c>Idempotency-Key</c>, and fails each key's first request with 503.</summary>
internal sealed class CarrierStub : IAsyncDisposable
{
    private readonly WebApplication _app;

    private CarrierStub(WebApplication app) => _app = app;

    public string Url => _app.Urls.First();

    /// <summary>The key of each request.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>The key of each shipment.</summary>
    public ConcurrentQueue<string> Shipments { get; } = new();

    public static async Task<CarrierStub> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var carrier = new CarrierStub(app);
        app.MapPost("/shipments", carrier.Ship);
        await app.StartAsync();
        return carrier;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private IResult Ship(HttpRequest request)
    {
        var key = request.Headers["Idempotency-Key"].ToString();
        var isFirst = !Requests.Contains(key);
        Requests.Enqueue(key);
        if (isFirst)
            return Results.StatusCode(StatusCodes.Status503ServiceUnavailable);
        if (!Shipments.Contains(key))
            Shipments.Enqueue(key);
        return Results.Json(new { trackingNumber = "track-1" });
    }
}
