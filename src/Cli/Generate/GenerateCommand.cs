using System.CommandLine;
using System.Globalization;
using Sagas.Cli.CommandLine;

namespace Sagas.Cli.Generate;

/// <summary><c>sagas generate</c>.</summary>
internal static class GenerateCommand
{
    private const int MaxRows = 1_000_000_000;

    private static readonly TimeSpan _progressInterval = TimeSpan.FromSeconds(5);

    public static Command Create(Terminal terminal)
    {
        var rows = CommandOptions.NumberOption("--rows", "How many customers.", 1000, MaxRows);
        var seed = CommandOptions.NumberOption("--seed", "The same seed gives the same file.", 1, int.MaxValue);
        var dirty = Dirty();
        var output = new Option<string?>("--output", "-o")
        {
            Description = "The file. Default: standard output.",
            HelpName = "file",
        };
        var command = new SagasCommand(
            "generate",
            "Generate a CSV file of customers, of any size.",
            "sagas generate --rows 1000000 --output customers.csv",
            "sagas generate --rows 100000 --dirty 0.01 | gzip > customers.csv.gz"
        )
        {
            rows,
            dirty,
            seed,
            output,
        };
        command.SetAction(
            (parse, cancellationToken) =>
            {
                var file = new CustomerFile(parse.GetValue(seed), parse.GetValue(dirty));
                if (parse.GetValue(output) is not { } path)
                    WriteToStandardOutput(terminal, file, parse.GetValue(rows), cancellationToken);
                else
                    WriteToFile(parse, terminal, file, path, parse.GetValue(rows), cancellationToken);
                return Task.FromResult(ExitCode.Ok);
            }
        );
        return command;
    }

    private static Option<double> Dirty() =>
        new("--dirty")
        {
            Description = "The share of invalid rows, 0 to 1.",
            HelpName = "share",
            CustomParser = result =>
            {
                if (
                    !double.TryParse(result.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var share)
                    || share is not (>= 0 and <= 1)
                )
                    result.AddError("--dirty must be a number from 0 to 1.");
                return share;
            },
        };

    private static void WriteToStandardOutput(Terminal terminal, CustomerFile file, int rows, CancellationToken cancellationToken)
    {
        using var output = StandardOutput.Open();
        file.Write(output, rows, cancellationToken, Progress(terminal, rows));
    }

    private static void WriteToFile(
        ParseResult parse,
        Terminal terminal,
        CustomerFile file,
        string path,
        int rows,
        CancellationToken cancellationToken
    )
    {
        try
        {
            using var target = new FileStream(path, FileMode.Create, FileAccess.Write);
            file.Write(target, rows, cancellationToken, Progress(terminal, rows));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.Failed, $"Cannot write {path}: {exception.Message}", exception);
        }

        if (parse.GetValue<bool>(CommandOptions.JsonName))
            terminal.WriteJson(
                new
                {
                    file = path,
                    rows,
                    bytes = new FileInfo(path).Length,
                }
            );
        else
            terminal.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Wrote {rows:N0} customers to {path}."));
    }

    private static Action<long> Progress(Terminal terminal, long rows)
    {
        var reported = terminal.TimeProvider.GetTimestamp();
        return written =>
        {
            if (terminal.TimeProvider.GetElapsedTime(reported) < _progressInterval)
                return;
            reported = terminal.TimeProvider.GetTimestamp();
            terminal.Error.WriteLine($"{written:N0} of {rows:N0} rows written");
        };
    }
}
