using System.Globalization;
using System.Text.Json;
using Sagas.Configuration;
using Sagas.Simulators.Faults;

namespace Sagas.Simulators.ObjectStatus;

/// <summary>A slow API that knows which objects are online: those with an odd number are not.</summary>
internal static class ObjectStatusEndpoints
{
    public static void AddObjectStatus(this WebApplicationBuilder builder)
    {
        builder.AddBooks<ObjectStatusOptions, ObjectBooks>(ObjectStatusOptions.Section);
        if (
            !string.IsNullOrWhiteSpace(
                builder.Configuration.ReadOptions<ObjectStatusOptions>(ObjectStatusOptions.Section).CallbackUrl
            )
        )
            builder.Services.AddHostedService<ObjectTester>();
    }

    public static void MapObjectStatus(this WebApplication app)
    {
        var options = app.Services.GetRequiredService<ObjectStatusOptions>();
        var books = app.Services.GetRequiredService<ObjectBooks>();
        var faults = new FaultInjector(options.Faults, app.Services.GetRequiredService<TimeProvider>());
        var stopping = app.Lifetime.ApplicationStopping;

        var status = app.MapGroup("/object-status");
        status.MapGet("/objects/{id}", (string id, HttpContext context) => AnswerAsync(id, context, books, faults, stopping));
        status.MapGet("/answered", () => Results.Json(books.Answered));
        status.MapGet("/acknowledged", () => Results.Json(books.Acknowledged));
        status.MapBooks(books.Summary, books.Clear, faults);
    }

    private static async Task AnswerAsync(
        string id,
        HttpContext context,
        ObjectBooks books,
        FaultInjector faults,
        CancellationToken cancellationToken
    )
    {
        // The server leaves a slash as it was sent, since it would be taken for a separator.
        id = id.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
        using var visit = faults.Enter();
        books.Enter(visit.Latency);
        try
        {
            await visit.WaitHalfAsync(cancellationToken);
            await visit.WaitHalfAsync(cancellationToken);
        }
        finally
        {
            books.Leave();
        }

        if (visit.Fault == Fault.None)
            books.Answer(id);
        else
            books.Fail();
        var answer = visit.Rejection() ?? visit.Alter(Status(id));
        await answer.SendAsync(context, context.RequestAborted);
    }

    private static Answer Status(string id)
    {
        var isNumber =
            long.TryParse(id, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            && number.ToString(CultureInfo.InvariantCulture) == id;
        var online = !isNumber || number % 2 == 0;
        return Answer.Json(
            200,
            JsonSerializer.SerializeToUtf8Bytes<object>(isNumber ? new { id = number, online } : new { id, online })
        );
    }
}
