using Npgsql;
using Sagas.OutboundCalls;
using Sagas.Services.Operations.Audit;

namespace Sagas.Services.Operations.Actions;

/// <summary>Pauses and resumes third parties, from the pages, the API and the command line alike. Each leaves a row in the
/// audit.</summary>
/// <param name="database">The database.</param>
/// <param name="audit">The audit.</param>
public sealed class TargetPauses(NpgsqlDataSource database, AuditLog audit)
{
    /// <summary>Stops calls to a target in all processes, until it is resumed.</summary>
    public async Task<OperatorResult> PauseAsync(string actor, string target, CancellationToken cancellationToken)
    {
        var paused = await CallTargets.HoldAsync(database, target, actor, cancellationToken);
        return await DoneAsync(actor, "target.pause", target, paused, paused ? "paused" : "was paused", cancellationToken);
    }

    /// <summary>Lets calls to a target start again: ends an operator's pause, and one that it asked for.</summary>
    public async Task<OperatorResult> ResumeAsync(string actor, string target, CancellationToken cancellationToken)
    {
        var held = await CallTargets.UnholdAsync(database, target, cancellationToken);
        var paused = await CallTargets.ResumeAsync(database, target, keys: null, cancellationToken);
        var resumed = held || paused.Count > 0;
        return await DoneAsync(
            actor,
            "target.resume",
            target,
            resumed,
            resumed ? "resumed" : "was not paused",
            cancellationToken
        );
    }

    private async Task<OperatorResult> DoneAsync(
        string actor,
        string action,
        string target,
        bool changed,
        string result,
        CancellationToken cancellationToken
    )
    {
        await audit.WriteAsync(actor, action, $"target/{target}", result, cancellationToken);
        return new($"target/{target}", result, changed ? 1 : 0);
    }
}
