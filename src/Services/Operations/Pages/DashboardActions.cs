using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.WebUtilities;
using Sagas.Services.Operations.Access;
using Sagas.Services.Operations.Actions;
using Sagas.Services.Operations.Api;
using Sagas.Services.Operations.Audit;
using Sagas.Services.Operations.Reads;

namespace Sagas.Services.Operations.Pages;

/// <summary>What the forms of pages do, and downloads.</summary>
internal static class DashboardActions
{
    private const int RejectsAtATime = 1_000;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var actions = routes.MapGroup("/actions").RequireAuthorization(nameof(AccessRole.Operator)).ExcludeFromDescription();
        Map(actions, "/revive", (form, actor, run, token) => run.RevivePaymentAsync(actor, form.Subject, token));
        Map(actions, "/retry-customer", (form, actor, run, token) => run.RetryCustomerSyncAsync(actor, form.Subject, token));
        Map(actions, "/retry-call", (form, actor, run, token) => run.RetryCallAsync(actor, form.Required, form.Key ?? "", token));
        Map(
            actions,
            "/retry-calls",
            (form, actor, run, token) =>
                run.RetryCallsAsync(actor, new(Given(form.Target), "parked", Given(form.Reason), Time(form.Since)), token)
        );
        Map(actions, "/pause", (form, actor, run, token) => run.PauseTargetAsync(actor, form.Required, token));
        Map(actions, "/resume", (form, actor, run, token) => run.ResumeTargetAsync(actor, form.Required, token));
        routes
            .MapGet("/files/{file:guid}/rejects.csv", RejectsAsync)
            .RequireAuthorization(nameof(AccessRole.Operator))
            .ExcludeFromDescription();
        routes.MapGet("/live", LiveAsync).RequireAuthorization(nameof(AccessRole.Viewer)).ExcludeFromDescription();
    }

    /// <summary>A time of a form or address; without a zone it is UTC.</summary>
    public static DateTimeOffset? Time(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time.ToUniversalTime()
            : null;

    /// <summary>What a form or address gives; null: the field is empty.</summary>
    public static string? Given(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    private static void Map(
        IEndpointRouteBuilder actions,
        string path,
        Func<ActionForm, string, OperatorActions, CancellationToken, Task<OperatorResult>> run
    ) =>
        actions.MapPost(
            path,
            async (
                [FromForm] string? id,
                [FromForm] string? target,
                [FromForm] string? key,
                [FromForm] string? reason,
                [FromForm] string? since,
                [FromForm] string? returnTo,
                HttpContext context,
                OperatorActions operators,
                CancellationToken token
            ) =>
            {
                var form = new ActionForm(id, target, key, reason, since);
                var result = await run(form, context.Actor(), operators, token);
                var back = LocalPath.Of(returnTo);
                var query = QueryHelpers.ParseQuery(
                    back.Contains('?', StringComparison.Ordinal) ? back[back.IndexOf('?')..] : ""
                );
                query["did"] = $"{result.Subject}: {result.Result}";
                return Results.LocalRedirect(QueryHelpers.AddQueryString(back.Split('?')[0], query));
            }
        );

    private static async Task RejectsAsync(
        Guid file,
        HttpContext context,
        FileReader files,
        AuditLog audit,
        CancellationToken token
    )
    {
        await audit.WriteAsync(context.Actor(), "rejects.read", $"file/{file}", "downloaded", token);
        context.Response.ContentType = "text/csv; charset=utf-8";
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"rejects-{file}.csv\"";
        await context.Response.WriteAsync("line,column,reason,record\r\n", token);
        long after = 0;
        while (await files.RejectsAsync(file, after, RejectsAtATime, token) is { Count: > 0 } rejects)
        {
            var text = new StringBuilder();
            foreach (var reject in rejects)
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"{reject.Line},{Csv(reject.Column)},{Csv(reject.Reason)},{Csv(reject.Record)}\r\n"
                );
            await context.Response.WriteAsync(text.ToString(), token);
            after = rejects[^1].Line;
        }
    }

    // Quoted always. A spreadsheet must not take what somebody sent for a formula.
    private static string Csv(string? text)
    {
        if (text is null)
            return "";
        var start = text is ['=' or '+' or '-' or '@' or '\t', ..] ? "'" : "";
        return $"\"{start}{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    // One read serves all who watch: what is sent says only that there is something new.
    private static IResult LiveAsync(OverviewReader overview, TimeProvider timeProvider, CancellationToken cancellationToken)
    {
        return TypedResults.ServerSentEvents(TicksAsync(cancellationToken));

        async IAsyncEnumerable<string> TicksAsync(
            [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token
        )
        {
            using var timer = new PeriodicTimer(TimeSpan.FromSeconds(3), timeProvider);
            while (await timer.WaitForNextTickAsync(token))
                yield return (await overview.ReadAsync(token)).At.ToString("O");
        }
    }
}

/// <summary>The fields of a form.</summary>
internal sealed record ActionForm(string? Id, string? Target, string? Key, string? Reason, string? Since)
{
    /// <summary>The id.</summary>
    public string Subject => Id is { Length: > 0 } id ? id : throw new BadHttpRequestException("The form has no id.");

    /// <summary>The target, where one must be named.</summary>
    public string Required =>
        Target is { Length: > 0 } target ? target : throw new BadHttpRequestException("The form names no target.");
}
