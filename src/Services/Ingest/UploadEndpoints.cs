using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Sagas.Services.Files;
using Sagas.Services.Operations;

namespace Sagas.Services.Ingest;

/// <summary>Files of customers over HTTP.</summary>
public static class UploadEndpoints
{
    /// <summary>Maps <c>/uploads</c>.</summary>
    /// <param name="routes">The application.</param>
    public static void MapUploads(this IEndpointRouteBuilder routes)
    {
        var uploads = routes.MapGroup("/uploads").RequireOperatorKey();
        uploads.MapPost("", ReceiveAsync);
        uploads.MapGet("/{id:guid}", FindAsync);
        uploads.MapGet("/{id:guid}/rejects", RejectsAsync);
    }

    private static async Task<IResult> ReceiveAsync(
        HttpRequest request, IOptions<IngestOptions> options, FileRegister register, UploadWorker worker, CancellationToken cancellationToken)
    {
        Upload upload;
        try
        {
            var limits = new UploadOptions { Path = options.Value.EffectiveUploadFolder, MaxBytes = options.Value.MaxUploadBytes };
            upload = await Upload.ReceiveAsync(request, limits, cancellationToken);
        }
        catch (UploadRefusedException refused)
        {
            return Results.Problem(refused.Message, statusCode: refused.StatusCode);
        }
        var (file, isNew) = await register.EnterAsync(CustomerIngest.Kind, upload.Name, upload.Hash, upload.Length, upload.Path, cancellationToken);
        if (!isNew)
            file = await KeepOneAsync(register, file, upload, cancellationToken);
        worker.Wake();
        // The same content again changes nothing: the answer is about the file that it was the first time.
        return file.State == FileState.Done
            ? Results.Ok(UploadStatus.Of(file))
            : Results.Accepted($"/uploads/{file.FileId}", UploadStatus.Of(file));
    }

    private static async Task<RegisteredFile> KeepOneAsync(FileRegister register, RegisteredFile file, Upload upload, CancellationToken cancellationToken)
    {
        if (file.State == FileState.Done || (file.State is FileState.Waiting or FileState.Running && File.Exists(file.Path)))
        {
            File.Delete(upload.Path);
            return file;
        }
        // It was stopped or refused, or its content has gone with a disk: it goes on from this one.
        await register.WaitAtAsync(file.FileId, upload.Path, cancellationToken);
        return (await register.FindAsync(file.FileId, cancellationToken))!;
    }

    private static async Task<IResult> FindAsync(Guid id, FileRegister register, CancellationToken cancellationToken) =>
        await register.FindAsync(id, cancellationToken) is { Kind: CustomerIngest.Kind } file ? Results.Ok(UploadStatus.Of(file)) : NotFound(id);

    private static async Task<IResult> RejectsAsync(Guid id, FileRegister register, RejectedRows rejected, CancellationToken cancellationToken) =>
        await register.FindAsync(id, cancellationToken) is { Kind: CustomerIngest.Kind } file
            ? Results.Stream(
                async target => await rejected.WriteAsync(id, target, cancellationToken), "text/csv", Path.GetFileName(RejectedRows.PathFor(file.Name)))
            : NotFound(id);

    private static IResult NotFound(Guid id) => Results.Problem($"There is no upload {id}.", statusCode: StatusCodes.Status404NotFound);
}

/// <summary>How far an upload has come.</summary>
/// <param name="Id">The upload.</param>
/// <param name="Name">What its sender calls it.</param>
/// <param name="State"><c>waiting</c>, <c>running</c>, <c>done</c>, <c>stopped</c> or <c>refused</c>.</param>
/// <param name="Reason">Why it was stopped or refused.</param>
/// <param name="Rows">Rows done, rejected ones among them.</param>
/// <param name="Added">Customers that were not known.</param>
/// <param name="Changed">Rows that changed a customer's data.</param>
/// <param name="Unchanged">Rows that told nothing new.</param>
/// <param name="Rejected">Rows that were not taken; <c>/uploads/{id}/rejects</c> has them.</param>
/// <param name="AcceptedAt">When it came in.</param>
/// <param name="StartedAt">When reading it began.</param>
/// <param name="FinishedAt">When it was done, stopped or refused.</param>
public sealed record UploadStatus(
    Guid Id, string Name, string State, string? Reason, long Rows, long Added, long Changed, long Unchanged, long Rejected,
    DateTimeOffset AcceptedAt, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt)
{
    internal static UploadStatus Of(RegisteredFile file) => new(
        file.FileId, file.Name, file.State.ToString().ToLowerInvariant(), file.Reason, file.Counts.Rows, file.Counts.Added, file.Counts.Changed,
        file.Counts.Unchanged, file.Counts.Rejected, file.AcceptedAt, file.StartedAt, file.FinishedAt);
}
