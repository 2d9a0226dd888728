using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Npgsql;
using Sagas.Services.Files;
using Sagas.Services.Ledger;
using Sagas.Services.Operations;

namespace Sagas.Services.Alerts;

/// <summary>What callers can ask of the alerts over HTTP; all of it changes something, and needs the operators' key.</summary>
public static class AlertEndpoints
{
    private const string Incoming = ".incoming";
    private const int LongestName = 100;

    /// <summary>Maps <c>POST /upload</c> and <c>POST</c> and <c>GET /retry</c>.</summary>
    /// <param name="routes">The application.</param>
    public static void MapAlerts(this IEndpointRouteBuilder routes)
    {
        ArgumentNullException.ThrowIfNull(routes);
        routes.MapPost("/upload", UploadAsync).RequireOperatorKey();
        // GET for callers that know no other way.
        routes.MapMethods("/retry", [HttpMethods.Get, HttpMethods.Post], RetryAsync).RequireOperatorKey();
    }

    private static async Task<IResult> UploadAsync(
        HttpRequest request, IOptions<AlertsOptions> options, FileRegister register, CancellationToken cancellationToken)
    {
        if (options.Value.Folder is not { } folder)
        {
            return Results.Problem(
                "Nowhere to put files: start the service with Alerts:Folder (as an environment variable: Alerts__Folder).",
                statusCode: StatusCodes.Status503ServiceUnavailable);
        }

        try
        {
            var upload = await Upload.ReceiveAsync(
                request, new UploadOptions { Path = Path.Combine(folder, Incoming), MaxBytes = options.Value.LargestUpload }, cancellationToken);
            var file = FileRegister.IdOf(AlertFileIntake.Kind, upload.Hash);
            if (await register.FindAsync(file, cancellationToken) is { State: not (FileState.Waiting or FileState.Running) } known)
            {
                File.Delete(upload.Path);
                return Results.Ok(new { file, upload.Name, upload.Length, status = "known", state = known.State == FileState.Done ? "entered" : "failed" });
            }

            File.Move(upload.Path, Path.Combine(folder, NameInFolder(upload)), overwrite: true);
            return Results.Accepted(value: new { file, upload.Name, upload.Length, status = "accepted" });
        }
        catch (UploadRefusedException refused)
        {
            return Results.Problem(refused.Message, statusCode: refused.StatusCode);
        }
    }

    private static async Task<IResult> RetryAsync(
        Guid? file, string? id, NpgsqlDataSource database, LedgerSignal<AlertReceiver> signal, CancellationToken cancellationToken)
    {
        var result = await AlertRetry.RunAsync(database, file, id?.Trim(), cancellationToken);
        if (result is null)
            return Results.Problem("There is no such file or alert; nothing was changed.", statusCode: StatusCodes.Status404NotFound);
        signal.Raise();
        return Results.Ok(result);
    }

    // Found by its content should it come twice; and never a name that the folder passes over.
    private static string NameInFolder(Upload upload)
    {
        var stem = Path.GetFileNameWithoutExtension(upload.Name).TrimStart('.', ' ');
        var compressed = upload.Name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase);
        return $"{stem[..Math.Min(stem.Length, LongestName)]}.{upload.Hash[..8]}{(compressed ? ".gz" : ".csv")}";
    }
}
