using System.Text.Json;
using Microsoft.Extensions.Options;
using Sagas.Configuration;
using Sagas.Simulators.Faults;
using Sagas.Simulators.Records;

namespace Sagas.Simulators.Crm;

/// <summary>A CRM that stores customers, with or without idempotency keys, and remembers everything it was asked.</summary>
internal static class CrmEndpoints
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public static void AddCrm(this WebApplicationBuilder builder)
    {
        builder.Services.AddValidatedOptions<CrmOptions>(builder.Configuration, CrmOptions.Section);
        builder.Services.AddSingleton(provider => provider.GetRequiredService<IOptions<CrmOptions>>().Value);
        builder.Services.AddSingleton<CrmBooks>();
    }

    public static void MapCrm(this WebApplication app)
    {
        var options = app.Services.GetRequiredService<CrmOptions>();
        // Opens the record file now, so that one that cannot be used stops the start and not the first customer.
        var books = app.Services.GetRequiredService<CrmBooks>();
        var time = app.Services.GetRequiredService<TimeProvider>();
        var faults = new FaultInjector(options.Faults, time);
        var stopping = app.Lifetime.ApplicationStopping;

        var crm = app.MapGroup("/crm");
        crm.MapPost("/customers", context => StoreAsync(context, isBatch: false));
        crm.MapPost("/customers/batch", context => StoreAsync(context, isBatch: true));
        crm.MapGet("/customers", FindAsync);
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
        crm.MapGet("/summary", () => Results.Json(books.Summary(), Json));
        crm.MapDelete(
            "",
            () =>
            {
                books.Clear();
                return Results.NoContent();
            }
        );
        crm.MapFaults(faults);

        // A caller that hangs up does not stop what it asked for, as it would not at a real CRM.
        async Task StoreAsync(HttpContext context, bool isBatch)
        {
            using var visit = faults.Enter();
            var request = await CrmRequest.ReadAsync(
                context.Request,
                isBatch,
                options.Authorization,
                time.GetUtcNow(),
                context.RequestAborted
            );
            await visit.WaitHalfAsync(stopping);
            var answer = books.Take(request, visit);
            await visit.WaitHalfAsync(stopping);
            await answer.SendAsync(context, context.RequestAborted);
        }

        async Task FindAsync(HttpContext context)
        {
            using var visit = faults.Enter();
            await visit.WaitHalfAsync(stopping);
            var customerId = context.Request.Query["customerId"].ToString();
            var answer =
                visit.Refusal()
                ?? visit.Alter(
                    options.Authorization is { } authorization
                    && context.Request.Headers.Authorization.ToString() != authorization
                        ? Answer.Problem(401, "Unauthorized", "The header Authorization is missing or wrong.")
                        : CrmAnswers.Stored(books.Find(customerId))
                );
            await visit.WaitHalfAsync(stopping);
            await answer.SendAsync(context, context.RequestAborted);
        }
    }
}
