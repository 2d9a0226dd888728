using Microsoft.AspNetCore.Http;

namespace Sagas.Services.Operations.Pages;

/// <summary>A page about something that does not exist.</summary>
internal static class MissingPage
{
    /// <summary>Answers 404 with the page itself: with the status set at once, the page would not be rendered.</summary>
    public static void IsMissing(this HttpContext context) =>
        context.Response.OnStarting(() =>
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        });
}
