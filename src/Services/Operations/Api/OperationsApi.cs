using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using Sagas.Services.Operations.Actions;
using Sagas.Services.Operations.Audit;
using Sagas.Services.Operations.Reads;

namespace Sagas.Services.Operations.Api;

/// <summary>The parts of the API that are about no feature alone.</summary>
internal static class OperationsApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapApi("operations");
        api.MapGet("/overview", (OverviewReader reader, CancellationToken token) => reader.ReadAsync(token)).WithName("overview");
        api.MapGet("/stuck", (StuckReader reader, CancellationToken token) => reader.ReadAsync(token)).WithName("stuck");
        api.MapGet("/targets", TargetsAsync).WithName("targets");
        api.MapPost("/targets/{target}/pause", PauseAsync).ForOperators().WithName("pauseTarget");
        api.MapPost("/targets/{target}/resume", ResumeAsync).ForOperators().WithName("resumeTarget");
        api.MapGet("/calls/given-up", GivenUpAsync).WithName("callsGivenUp");
        api.MapGet("/calls/{target}/{**key}", CallAsync).WithName("call");
        api.MapPost("/calls/retry", RetryCallsAsync).ForOperators().WithName("retryCalls");
        api.MapPost("/calls/retry/{target}/{**key}", RetryCallAsync).ForOperators().WithName("retryCall");
        api.MapGet("/files", FilesAsync).WithName("files");
        api.MapGet("/files/{file:guid}", FileAsync).WithName("file");
        api.MapGet("/files/{file:guid}/rejects", RejectsAsync).WithName("fileRejects");
        api.MapGet("/audit", AuditAsync).WithName("audit");
    }

    private static async Task<IReadOnlyList<TargetOverview>> TargetsAsync(
        OverviewReader reader,
        CancellationToken cancellationToken
    ) => (await reader.ReadAsync(cancellationToken)).Targets;

    private static Task<OperatorResult> PauseAsync(
        string target,
        HttpContext context,
        OperatorActions actions,
        CancellationToken cancellationToken
    ) => actions.PauseTargetAsync(context.Actor(), target, cancellationToken);

    private static Task<OperatorResult> ResumeAsync(
        string target,
        HttpContext context,
        OperatorActions actions,
        CancellationToken cancellationToken
    ) => actions.ResumeTargetAsync(context.Actor(), target, cancellationToken);

    private static async Task<ResultPage<CallGivenUp>> GivenUpAsync(
        string? target,
        string? state,
        string? reason,
        DateTimeOffset? since,
        DateTimeOffset? cursor,
        int? limit,
        NpgsqlDataSource database,
        CancellationToken cancellationToken
    )
    {
        var size = ApiRoutes.PageSize(limit);
        var filter = new CallFilter(target, state, reason, since);
        var calls = await CallsGivenUp.NewestAsync(database, filter, cursor, size, cancellationToken);
        return new(calls, calls.Count < size ? null : calls[^1].FinishedAt.ToString("O"));
    }

    private static async Task<IResult> CallAsync(
        string target,
        string key,
        SagaReader sagas,
        CancellationToken cancellationToken
    ) =>
        await sagas.CallAsync(target, key, cancellationToken) is { } call
            ? Results.Ok(call)
            : ApiRoutes.NotFound($"call {key} to {target}");

    private static Task<OperatorResult> RetryCallsAsync(
        string? target,
        string? reason,
        DateTimeOffset? since,
        HttpContext context,
        OperatorActions actions,
        CancellationToken cancellationToken
    ) => actions.RetryCallsAsync(context.Actor(), new(target, "parked", reason, since), cancellationToken);

    private static Task<OperatorResult> RetryCallAsync(
        string target,
        string key,
        HttpContext context,
        OperatorActions actions,
        CancellationToken cancellationToken
    ) => actions.RetryCallAsync(context.Actor(), target, key, cancellationToken);

    private static async Task<ResultPage<FileView>> FilesAsync(
        DateTimeOffset? cursor,
        int? limit,
        FileReader files,
        CancellationToken cancellationToken
    )
    {
        var size = ApiRoutes.PageSize(limit);
        var page = await files.NewestAsync(cursor, size, cancellationToken);
        return new(page, page.Count < size ? null : page[^1].AcceptedAt.ToString("O"));
    }

    private static async Task<IResult> FileAsync(Guid file, FileReader files, CancellationToken cancellationToken) =>
        await files.FindAsync(file, cancellationToken) is { } found ? Results.Ok(found) : ApiRoutes.NotFound($"file {file}");

    private static async Task<IResult> RejectsAsync(
        Guid file,
        long? cursor,
        int? limit,
        HttpContext context,
        FileReader files,
        AuditLog audit,
        CancellationToken cancellationToken
    )
    {
        // The rows are as they came: with names and addresses.
        if (!context.SeesPersonalData())
            return Results.Problem("Rejected rows have personal data: a viewer may not see them.", statusCode: 403);
        var size = ApiRoutes.PageSize(limit);
        var rejects = await files.RejectsAsync(file, cursor ?? 0, size, cancellationToken);
        await audit.WriteAsync(context.Actor(), "rejects.read", $"file/{file}", $"{rejects.Count} rows", cancellationToken);
        var next = rejects.Count < size ? null : rejects[^1].Line.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return Results.Ok(new ResultPage<FileReject>(rejects, next));
    }

    private static async Task<ResultPage<AuditEntry>> AuditAsync(
        string? subject,
        long? cursor,
        int? limit,
        AuditLog audit,
        CancellationToken cancellationToken
    )
    {
        var size = ApiRoutes.PageSize(limit);
        var entries = await audit.ReadAsync(subject, cursor, size, cancellationToken);
        return new(entries, entries.Count < size ? null : entries[^1].Id);
    }
}
