using Sagas.Simulators.Faults;
using Sagas.Simulators.Records;

namespace Sagas.Simulators.Crm;

/// <summary>A CRM that stores customers, with or without idempotency keys, and records every request.</summary>
internal static class CrmEndpoints
{
    public static void AddCrm(this WebApplicationBuilder builder) => builder.AddBooks<CrmOptions, CrmBooks>(CrmOptions.Section);

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
        crm.MapRecords(books.Records, (writer, record) => record.WriteTo(writer));
        crm.MapBooks(books.Summary, books.Clear, faults);
    }
}
