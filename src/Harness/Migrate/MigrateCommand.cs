using System.CommandLine;
using MassTransit.EntityFrameworkCoreIntegration;
using Sagas.Harness.CommandLine;
using Sagas.Harness.Database;

namespace Sagas.Harness.Migrate;

/// <summary><c>sagas migrate</c>.</summary>
internal static class MigrateCommand
{
    public static Command Create(Terminal terminal)
    {
        var command = new SagasCommand(
            "migrate",
            "Bring the database's tables and views up to date. The services do so too when they start.",
            "sagas migrate",
            "sagas migrate --postgres \"Host=db;Database=sagas;Username=sagas;Password=…\"")
        {
            CommandOptions.Postgres(),
        };
        command.SetAction(async (parse, stop) =>
        {
            await using var database = await SagasDatabase.OpenAsync(Connections.Postgres(parse, terminal), stop);
            await SchemaMigrator.MigrateAsync(database.Source, typeof(SagasDbContext).Assembly, null, stop);
            if (parse.GetValue<bool>(CommandOptions.JsonName))
                terminal.WriteJson(new { upToDate = true });
            else
                await terminal.Output.WriteLineAsync("The database is up to date.");
            return ExitCode.Ok;
        });
        return command;
    }
}
