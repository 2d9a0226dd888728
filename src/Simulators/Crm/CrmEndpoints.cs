using System.Text.Json;
using Microsoft.Extensions.Options;
using Sagas.Configuration;
using Sagas.Simulators.Faults;
using Sagas.Simulators.Records;

namespace Sagas.Simulators.Crm;

/// <summary>A CRM that stores customers, with or without idempotency keys, and records every request.</summary>
internal static class CrmEndpoints
{
    private static readonly JsonSerializerOptions _json = new(JsonSerializerDefaults.Web);

    public static void AddCrm(this WebApplicationBuilder builder)
    {
        builder.Services.AddValidatedOptions<CrmOptions>(builder.Configuration, CrmOptions.Section);
        builder.Services.AddSingleton(provider => provider.GetRequiredService<IOptions<CrmOptions>>().Value);
        builder.Services.AddSingleton<CrmBooks>();
    }

    public static void MapCrm(this WebApplication app)
    {
        var options = app.Services.GetRequiredService<CrmOptions>();
        // Opens the record file now, so that an unusable file fails the start and not the first customer.
        var books = app.Services.GetRequiredService<CrmBooks>();
        var timeProvider = app.Services.GetRequiredService<TimeProvider>();
        var faults = new FaultInjector(options.Faults, timeProvider);
        var requests = new CrmRequests(books, options, faults, timeProvider, app.Lifetime.ApplicationStopping);

        var crm = app.MapGroup("/crm");
        crm.MapPost("/customers", context => requests.StoreAsync(context, isBatch: false));
        crm.MapPost("/customers/batch", context => requests.StoreAsync(context, isBatch: true));
        crm.MapGet("/customers", requests.FindAsync);
        crm.MapGet(
            "/stored",
            context => JsonList.StreamAsync(context.Response, books.Customers(), CrmAnswers.Write, context.RequestAborted)
        );
        crm.MapGet(
            "/records",
            context =>
                JsonList.StreamAsync(
                    context.Response,
                    books.Records(),
                    (writer, record) => record.WriteTo(writer),
                    context.RequestAborted
                )
        );
        crm.MapGet("/summary", () => Results.Json(books.Summary(), _json));
        crm.MapDelete(
            "",
            () =>
            {
                books.Clear();
                return Results.NoContent();
            }
        );
        crm.MapFaults(faults);
    }
}
