using System.CommandLine;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Tables;
using Sagas.Services.Operations.Audit;

namespace Sagas.Cli.Operations;

/// <summary><c>sagas audit</c>.</summary>
internal static class ListAudit
{
    public static Command Create(Terminal terminal)
    {
        var about = new Option<string?>("--about")
        {
            Description = "Only this thing, such as payment/pay-1.",
            HelpName = "thing",
        };
        var command = new SagasCommand(
            "audit",
            "List who did what to which thing, the newest first.",
            "sagas audit",
            "sagas audit --about payment/pay-1"
        ).Lists(
            terminal,
            _ => Table(terminal),
            (database, parse, limit, cancellationToken) =>
                new AuditLog(database.Source).ReadAsync(parse.GetValue(about), null, limit, cancellationToken)
        );
        command.Add(about);
        return command;
    }

    private static Listing<AuditEntry> Table(Terminal terminal)
    {
        Column<AuditEntry>[] columns =
        [
            new("Time", entry => Format.ExactMoment(entry.OccurredAt), Break: false),
            new("Who", entry => entry.Actor),
            new("Action", entry => entry.Action, Break: false),
            new("To what", entry => entry.Subject),
            new("Result", entry => entry.Result),
        ];
        return new Listing<AuditEntry>(terminal, columns, "No actions yet.");
    }
}
