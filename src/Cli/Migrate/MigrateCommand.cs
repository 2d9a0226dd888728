using System.CommandLine;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Persistence;
using Sagas.Services;

namespace Sagas.Cli.Migrate;

/// <summary><c>sagas migrate</c>.</summary>
internal static class MigrateCommand
{
    public static Command Create(Terminal terminal)
    {
        var command = new SagasCommand(
            "migrate",
            "Migrate the database's schema. The services do so too when they start.",
            "sagas migrate",
            "sagas migrate --postgres \"Host=db;Database=sagas;Username=sagas;Password=…\""
        )
        {
            CommandOptions.Postgres(),
        };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                await using var database = await SagasDatabase.OpenAsync(
                    Connections.Postgres(parse, terminal),
                    cancellationToken
                );
                var applied = await SchemaMigrator.MigrateAsync(
                    database.Source,
                    Features.Product.Migrations,
                    null,
                    cancellationToken
                );
                if (parse.GetValue<bool>(CommandOptions.JsonName))
                    terminal.WriteJson(new { applied });
                else
                    await terminal.Output.WriteLineAsync(
                        applied.Count == 0 ? "The schema is up to date." : $"Applied {string.Join(", ", applied)}."
                    );
                return ExitCode.Ok;
            }
        );
        return command;
    }
}
