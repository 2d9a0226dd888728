using System.Text.Json;
using Microsoft.Extensions.Options;
using Sagas.Configuration;
using Sagas.Simulators.Records;

namespace Sagas.Simulators.Faults;

/// <summary>What every third party has beside its own requests: settings, books and faults.</summary>
internal static class BooksEndpoints
{
    /// <summary>Adds a third party's settings and books.</summary>
    /// <param name="builder">The application.</param>
    /// <param name="section">The section of its settings.</param>
    public static void AddBooks<TOptions, TBooks>(this WebApplicationBuilder builder, string section)
        where TOptions : class, IValidatedOptions
        where TBooks : class
    {
        builder.Services.AddValidatedOptions<TOptions>(builder.Configuration, section);
        builder.Services.AddSingleton(provider => provider.GetRequiredService<IOptions<TOptions>>().Value);
        builder.Services.AddSingleton<TBooks>();
    }

    /// <summary>Maps <c>/records</c>, which streams everything that a third party recorded.</summary>
    /// <param name="thirdParty">Its routes.</param>
    /// <param name="records">Reads the records.</param>
    /// <param name="write">Writes one as JSON.</param>
    public static void MapRecords<T>(
        this IEndpointRouteBuilder thirdParty,
        Func<IEnumerable<T>> records,
        Action<Utf8JsonWriter, T> write
    ) =>
        thirdParty.MapGet(
            "/records",
            context => JsonList.StreamAsync(context.Response, records(), write, context.RequestAborted)
        );

    /// <summary>Maps <c>/summary</c>, the deletion of everything recorded, and the faults.</summary>
    /// <param name="thirdParty">Its routes.</param>
    /// <param name="summary">Counts what it recorded.</param>
    /// <param name="clear">Forgets what it recorded.</param>
    /// <param name="faults">Its faults.</param>
    public static void MapBooks<TSummary>(
        this IEndpointRouteBuilder thirdParty,
        Func<TSummary> summary,
        Action clear,
        FaultInjector faults
    )
    {
        thirdParty.MapGet("/summary", () => Results.Json(summary(), JsonSerializerOptions.Web));
        thirdParty.MapDelete(
            "",
            () =>
            {
                clear();
                return Results.NoContent();
            }
        );
        thirdParty.MapFaults(faults);
    }
}
