using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Sagas.FileIntake.Storage;
using Sagas.FileIntake.Uploads;

namespace Sagas.FileIntake;

/// <summary>Files over HTTP.</summary>
public static class FileEndpoints
{
    /// <summary>Maps <c>POST /files/{kind}</c>, <c>GET /files/{kind}/{id}</c> and <c>GET /files/{kind}/{id}/rejects</c> of one
    /// kind.</summary>
    /// <param name="routes">The application.</param>
    /// <param name="kind">The kind that <see cref="FileIntakeRegistration.AddFileIntake"/> registered.</param>
    /// <returns>The endpoints, for the caller to protect.</returns>
    public static RouteGroupBuilder MapFiles(this IEndpointRouteBuilder routes, string kind)
    {
        var files = routes.MapGroup($"/files/{kind}");
        files.MapPost(
            "",
            (HttpRequest request, FileStore store, TimeProvider timeProvider, CancellationToken cancellationToken) =>
            {
                var worker = request.HttpContext.RequestServices.GetRequiredKeyedService<UploadWorker>(kind);
                return ReceiveAsync(request, store, worker, timeProvider, cancellationToken);
            }
        );
        files.MapGet(
            "/{id:guid}",
            async (Guid id, FileStore store, CancellationToken cancellationToken) =>
                await FindAsync(kind, id, store, cancellationToken) is { } file
                    ? Results.Ok(FileStatus.Of(file))
                    : NotFound(kind, id)
        );
        files.MapGet(
            "/{id:guid}/rejects",
            async (Guid id, FileStore store, RejectedRows rejected, CancellationToken cancellationToken) =>
                await FindAsync(kind, id, store, cancellationToken) is { } file
                    ? Rejects(file, rejected, cancellationToken)
                    : NotFound(kind, id)
        );
        return files;
    }

    private static async Task<IResult> ReceiveAsync(
        HttpRequest request,
        FileStore store,
        UploadWorker worker,
        TimeProvider timeProvider,
        CancellationToken cancellationToken
    )
    {
        Upload upload;
        try
        {
            upload = await Upload.ReceiveAsync(request, worker.Handler.Options.Uploads, timeProvider, cancellationToken);
        }
        catch (InvalidUploadException invalid)
        {
            return Results.Problem(invalid.Message, statusCode: invalid.StatusCode);
        }
        var kind = worker.Handler.Kind;
        var (file, isNew) = await store.AddAsync(kind, upload.Name, upload.Hash, upload.Length, upload.Path, cancellationToken);
        if (!isNew)
            file = await KeepOneAsync(store, file, upload, cancellationToken);
        worker.Wake();
        // The same content again changes nothing: the response is the status of the file as it was first submitted.
        return file.State == FileState.Completed
            ? Results.Ok(FileStatus.Of(file))
            : Results.Accepted($"/files/{kind}/{file.FileId}", FileStatus.Of(file));
    }

    private static async Task<IncomingFile> KeepOneAsync(
        FileStore store,
        IncomingFile file,
        Upload upload,
        CancellationToken cancellationToken
    )
    {
        if (file.State == FileState.Completed || (file.State is FileState.Pending or FileState.Running && File.Exists(file.Path)))
        {
            File.Delete(upload.Path);
            return file;
        }
        // It failed, or its content was lost with a disk: continue with this upload.
        await store.ResubmitAsync(file.FileId, upload.Path, cancellationToken);
        return (await store.FindAsync(file.FileId, cancellationToken))!;
    }

    private static async Task<IncomingFile?> FindAsync(
        string kind,
        Guid id,
        FileStore store,
        CancellationToken cancellationToken
    ) => await store.FindAsync(id, cancellationToken) is { } file && file.Kind == kind ? file : null;

    private static IResult Rejects(IncomingFile file, RejectedRows rejected, CancellationToken cancellationToken) =>
        Results.Stream(
            async target => await rejected.WriteAsync(file.FileId, target, cancellationToken),
            "text/csv",
            FileNames.Append(file.Name, FileNames.Rejects)
        );

    private static IResult NotFound(string kind, Guid id) =>
        Results.Problem($"No file of {kind} has the id {id}.", statusCode: StatusCodes.Status404NotFound);
}
