using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.Configuration;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Sagas.Services.Ingest;

namespace Sagas.Cli.Ingest;

/// <summary><c>sagas ingest</c>.</summary>
internal static class IngestCommand
{
    public static Command Create(Terminal terminal)
    {
        var files = new Argument<string[]>("file") { Description = "CSV files of customers, plain or gzip.", Arity = ArgumentArity.OneOrMore };
        var follow = new Option<bool>("--follow") { Description = "Wait until the CRM has the customers of these files too." };
        var ratio = RatioOption();
        var columns = new Option<string[]>("--column")
        {
            Description = "Another name of a column in the files, such as first_name=Vorname. Can be repeated.",
            HelpName = "column=name",
        };
        var command = new SagasCommand(
            "ingest",
            "Make customers of the rows of CSV files. A file that was interrupted goes on where it was; one that was done before changes nothing.",
            "sagas ingest customers.csv",
            "sagas ingest customers-1.csv customers-2.csv.gz --follow",
            "sagas ingest kunden.csv --column first_name=Vorname --column last_name=Nachname",
            "sagas ingest dirty.csv --max-reject-ratio 0.5  # go on although up to half of the rows are rejected")
        {
            files, follow, ratio, columns, CommandOptions.Postgres(),
        };
        command.SetAction(async (parse, stop) =>
        {
            var paths = CommandOptions.ExistingFiles(parse, files);
            var options = Options(terminal, parse.GetValue(ratio), parse.GetValue(columns) ?? []);
            await using var database = await SagasDatabase.OpenAsync(Connections.Postgres(parse, terminal), stop);
            var run = new IngestRun(terminal, database, options, HasCrm(terminal), parse.GetValue<bool>(CommandOptions.JsonName));
            return await run.RunAsync(paths, parse.GetValue(follow), stop);
        });
        return command;
    }

    /// <summary>Whether there is a CRM: <c>Crm__Enabled</c>, as the services read it.</summary>
    public static bool HasCrm(Terminal terminal) => !bool.TryParse(terminal.Environment("Crm__Enabled"), out var enabled) || enabled;

    private static Option<double?> RatioOption() => new("--max-reject-ratio")
    {
        Description = "The share of rejected rows, 0 to 1, above which a file is stopped. Default: Ingest__MaxRejectRatio, else 0.1.",
        HelpName = "share",
        CustomParser = result =>
        {
            if (!double.TryParse(result.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var share) || share is not (>= 0 and <= 1))
                result.AddError("--max-reject-ratio must be a number from 0 to 1.");
            return share;
        },
    };

    // The section Ingest of the environment, as the services read it, and over it the command line.
    private static IngestOptions Options(Terminal terminal, double? ratio, IReadOnlyList<string> columns)
    {
        var configuration = new ConfigurationBuilder().AddEnvironmentVariables().Build();
        var options = configuration.GetSection(IngestOptions.Section).Get<IngestOptions>() ?? new IngestOptions();
        options = options with { MaxRejectRatio = ratio ?? options.MaxRejectRatio };
        if (columns.Count > 0)
        {
            var names = columns.Select(Split).ToLookup(pair => pair.Column, pair => pair.Name)
                .ToDictionary(column => column.Key, column => string.Join(',', column));
            options = options with { Columns = names };
        }
        return options.Validate().ToArray() is { Length: > 0 } problems
            ? throw new CommandException(ExitCode.Usage, string.Join(Environment.NewLine, problems))
            : options;
    }

    private static (string Column, string Name) Split(string text) => text.Split('=', 2) is [{ Length: > 0 } column, { Length: > 0 } name]
        ? (column.Trim(), name.Trim())
        : throw new CommandException(ExitCode.Usage, $"--column must be a column and its name in the files, such as first_name=Vorname; it is '{text}'.");
}
