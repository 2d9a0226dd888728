using System.Text.Json;
using System.Text.Json.Serialization;

namespace Sagas.Simulators.Faults;

internal static class FaultEndpoints
{
    private const int MaxDownSeconds = 86_400;

    // Rejects misspelt faults instead of ignoring them.
    private static readonly JsonSerializerOptions _json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    /// <summary>Maps <c>faults</c> and <c>down</c> below the third party's own path.</summary>
    public static void MapFaults(this IEndpointRouteBuilder thirdParty, FaultInjector faults)
    {
        thirdParty.MapGet("/faults", () => Results.Json(faults.Settings, _json));
        thirdParty.MapPut(
            "/faults",
            async (HttpRequest request, CancellationToken cancellationToken) =>
                Change(faults, await ReadAsync(request, cancellationToken))
        );
        thirdParty.MapPost("/down", (string? seconds) => GoDown(faults, seconds));
    }

    private static IResult Change(FaultInjector faults, (FaultSettings? Settings, string? Mistake) read)
    {
        var mistakes = read.Settings?.Validate().ToArray() ?? [read.Mistake!];
        if (mistakes.Length > 0)
            return Results.Problem(string.Join(' ', mistakes), statusCode: 400, title: "Not valid fault settings");
        faults.Settings = read.Settings!;
        return Results.Json(faults.Settings, _json);
    }

    private static async Task<(FaultSettings? Settings, string? Mistake)> ReadAsync(
        HttpRequest request,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var settings = await JsonSerializer.DeserializeAsync<FaultSettings>(request.Body, _json, cancellationToken);
            return (settings, "The body is null; {} sets no faults.");
        }
        catch (JsonException exception)
        {
            return (
                null,
                exception.Path is { Length: > 2 } path
                    ? $"{path[2..]} is not a fault, or not of the right type."
                    : "The body is not a JSON object."
            );
        }
    }

    private static IResult GoDown(FaultInjector faults, string? seconds)
    {
        if (!int.TryParse(seconds, out var count) || count is < 0 or > MaxDownSeconds)
        {
            return Results.Problem(
                $"Say how long: /down?seconds=N, N between 0 and {MaxDownSeconds}.",
                statusCode: 400,
                title: "For how long?"
            );
        }

        faults.GoDownFor(TimeSpan.FromSeconds(count));
        return Results.Json(faults.Settings, _json);
    }
}
