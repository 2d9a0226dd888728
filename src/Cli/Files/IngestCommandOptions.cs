using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Microsoft.Extensions.Configuration;
using Sagas.Cli.CommandLine;
using Sagas.Services.Alerts;
using Sagas.Services.Ingest;

namespace Sagas.Cli.Files;

/// <summary>Arguments and options of the commands that read files, and the options of the services in the environment.</summary>
internal sealed class IngestCommandOptions
{
    private readonly Option<double?> _maxRejectRatio = RatioOption();

    private readonly Option<string[]> _columns = new("--column")
    {
        Description = "Customers: another name of a column in the files, such as first_name=Vorname. Can be repeated.",
        HelpName = "column=name",
    };

    /// <summary>The files.</summary>
    public Argument<string[]> Files { get; } =
        new("file") { Description = "CSV files, plain or gzip.", Arity = ArgumentArity.OneOrMore };

    /// <summary>Whether to wait for what follows from the rows.</summary>
    public Option<bool> Follow { get; } =
        new("--follow") { Description = "Wait until the CRM has the customers, or until the alerts are delivered." };

    public void AddTo(Command command)
    {
        command.Add(Follow);
        command.Add(_maxRejectRatio);
        command.Add(_columns);
        command.Add(CommandOptions.Postgres());
    }

    /// <summary>The first option that is given and is for customers only; null: none.</summary>
    public string? NameOfCustomersOption(CommandResult result) => result.GetResult(_columns) is not null ? _columns.Name : null;

    /// <summary>The section Ingest of the environment, as the services read it, with the options of the command line.</summary>
    /// <exception cref="CommandException">An option or a variable is not valid.</exception>
    public IngestOptions OfCustomers(ParseResult parse)
    {
        var options = Environment().GetSection(IngestOptions.Section).Get<IngestOptions>() ?? new IngestOptions();
        options = options with { MaxRejectRatio = parse.GetValue(_maxRejectRatio) ?? options.MaxRejectRatio };
        if (parse.GetValue(_columns) is { Length: > 0 } columns)
        {
            var names = columns
                .Select(Split)
                .ToLookup(pair => pair.Column, pair => pair.Name)
                .ToDictionary(column => column.Key, column => string.Join(',', column));
            options = options with { Columns = names };
        }

        return options.Validate().ToArray() is { Length: > 0 } problems
            ? throw new CommandException(ExitCode.Usage, string.Join(System.Environment.NewLine, problems))
            : options;
    }

    /// <summary>The section Alerts of the environment, as the services read it, with the options of the command line.</summary>
    public AlertsOptions OfAlerts(ParseResult parse)
    {
        var options = Environment().GetSection(AlertsOptions.Section).Get<AlertsOptions>() ?? new AlertsOptions();
        return options with { MaxRejectRatio = parse.GetValue(_maxRejectRatio) ?? options.MaxRejectRatio };
    }

    /// <summary>Whether the CRM is enabled: <c>Crm__Enabled</c>, as the services read it.</summary>
    public static bool IsCrmEnabled(Terminal terminal) =>
        !bool.TryParse(terminal.Environment("Crm__Enabled"), out var enabled) || enabled;

    private static IConfigurationRoot Environment() => new ConfigurationBuilder().AddEnvironmentVariables().Build();

    private static Option<double?> RatioOption() =>
        new("--max-reject-ratio")
        {
            Description =
                "The share of rejected rows, 0 to 1, above which a file is stopped. Default: "
                + "Ingest__MaxRejectRatio or Alerts__MaxRejectRatio, else 0.1.",
            HelpName = "share",
            CustomParser = result =>
            {
                if (
                    !double.TryParse(result.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var share)
                    || share is not (>= 0 and <= 1)
                )
                    result.AddError("--max-reject-ratio must be a number from 0 to 1.");
                return share;
            },
        };

    private static (string Column, string Name) Split(string text) =>
        text.Split('=', 2) is [{ Length: > 0 } column, { Length: > 0 } name]
            ? (column.Trim(), name.Trim())
            : throw new CommandException(
                ExitCode.Usage,
                $"--column must be a column and its name in the files, such as first_name=Vorname; '{text}' is not."
            );
}
