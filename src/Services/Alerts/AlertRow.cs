using Sagas.FileIntake.Storage;

namespace Sagas.Services.Alerts;

/// <summary>A row of a file: an alert, or a rejected row.</summary>
/// <param name="Line">The line on which it starts.</param>
/// <param name="Alert">The alert; null when the row is rejected.</param>
/// <param name="Rejected">The rejected row; null for an alert.</param>
internal readonly record struct AlertRow(long Line, AlertRequest? Alert, RejectedRow? Rejected)
{
    /// <summary>Whether a shorter version of the file had the alert.</summary>
    public bool WasSentBefore { get; init; }

    /// <summary>Whether it is an alert to send.</summary>
    public bool IsToSend => Alert is not null && !WasSentBefore;
}
