using System.Text.Json;
using System.Text.Json.Serialization;
using Sagas.Simulators.Faults;

namespace Sagas.Simulators.Webhooks;

/// <summary>A receiver of alert webhooks with a limit of requests, which records every request.</summary>
internal static class WebhookEndpoints
{
    // Rejects misspelt settings instead of ignoring them.
    private static readonly JsonSerializerOptions _strict = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    public static void AddWebhooks(this WebApplicationBuilder builder)
    {
        builder.AddBooks<WebhookOptions, WebhookBooks>(WebhookOptions.Section);
        builder.Services.AddSingleton<SignatureCheck>();
    }

    public static void MapWebhooks(this WebApplication app)
    {
        var options = app.Services.GetRequiredService<WebhookOptions>();
        // Opens the files now, so that an unusable file fails the start and not the first delivery.
        var books = app.Services.GetRequiredService<WebhookBooks>();
        var signatures = app.Services.GetRequiredService<SignatureCheck>();
        var timeProvider = app.Services.GetRequiredService<TimeProvider>();
        var faults = new FaultInjector(options.Faults, timeProvider);
        var stopping = app.Lifetime.ApplicationStopping;

        var webhooks = app.MapGroup("/webhooks");
        foreach (var path in (string[])["/alerts", "/alerts/{name}"])
            webhooks.MapPost(path, context => ReceiveAsync(context, books, signatures, faults, timeProvider, stopping));
        webhooks.MapGet("/records", () => Results.Json(books.Records(), AlertJson.Default.WebhookRecordArray));
        webhooks.MapGet("/behaviour", () => Results.Json(books.Behaviour, _strict));
        webhooks.MapPut(
            "/behaviour",
            async (HttpRequest request, CancellationToken cancellationToken) =>
                await ChangeAsync(books, request, cancellationToken)
        );
        webhooks.MapBooks(books.Summary, books.Clear, faults);
    }

    /// <summary>A sender that disconnects does not stop its delivery, as with a real receiver.</summary>
    private static async Task ReceiveAsync(
        HttpContext context,
        WebhookBooks books,
        SignatureCheck signatures,
        FaultInjector faults,
        TimeProvider timeProvider,
        CancellationToken cancellationToken
    )
    {
        using var visit = faults.Enter();
        var delivery = await Delivery.ReadAsync(context, signatures, timeProvider.GetUtcNow(), context.RequestAborted);
        await visit.WaitHalfAsync(cancellationToken);
        var answer = books.Take(delivery, visit);
        await visit.WaitHalfAsync(cancellationToken);
        await answer.SendAsync(context, context.RequestAborted);
    }

    private static async Task<IResult> ChangeAsync(WebhookBooks books, HttpRequest request, CancellationToken cancellationToken)
    {
        WebhookBehaviour? behaviour;
        try
        {
            behaviour = await JsonSerializer.DeserializeAsync<WebhookBehaviour>(request.Body, _strict, cancellationToken);
        }
        catch (JsonException)
        {
            return Results.Problem(
                "The body is a JSON object of perSecond, burst and answer.",
                statusCode: 400,
                title: "Not a valid behaviour"
            );
        }

        if (behaviour is null || behaviour.Validate().ToArray() is { Length: > 0 })
        {
            return Results.Problem(
                string.Join(' ', behaviour?.Validate() ?? ["The body is null."]),
                statusCode: 400,
                title: "Not a valid behaviour"
            );
        }

        books.Behaviour = behaviour;
        return Results.Json(behaviour, _strict);
    }
}
