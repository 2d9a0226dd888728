using System.CommandLine;
using System.Globalization;
using Sagas.Cli.CommandLine;

namespace Sagas.Cli.Generate;

/// <summary><c>sagas generate customers</c>.</summary>
internal static class GenerateCustomers
{
    private const int MostRows = 1_000_000_000;

    public static Command Create(Terminal terminal)
    {
        var rows = CommandOptions.NumberOption("--rows", "How many customers.", 1000, MostRows);
        var seed = CommandOptions.NumberOption("--seed", "The same seed gives the same file.", 1, int.MaxValue);
        var dirty = new Option<double>("--dirty")
        {
            Description = "The share of rows with something wrong, 0 to 1.",
            HelpName = "share",
            CustomParser = result =>
            {
                if (!double.TryParse(result.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var share) || share is not (>= 0 and <= 1))
                    result.AddError("--dirty must be a number from 0 to 1.");
                return share;
            },
        };
        var output = new Option<string?>("--output", "-o") { Description = "The file; without it the rows go to standard output.", HelpName = "file" };
        var command = new SagasCommand(
            "customers",
            "Write a CSV file of made-up customers, of any size.",
            "sagas generate customers --rows 1000000 --output customers.csv",
            "sagas generate customers --rows 100000 --dirty 0.01 | gzip > customers.csv.gz")
        {
            rows, dirty, seed, output,
        };
        command.SetAction((parse, stop) =>
        {
            var file = new CustomerFile(parse.GetValue(seed), parse.GetValue(dirty));
            if (parse.GetValue(output) is not { } path)
            {
                using var standard = Console.OpenStandardOutput();
                file.Write(standard, parse.GetValue(rows), stop);
                return Task.FromResult(ExitCode.Ok);
            }
            try
            {
                using var target = new FileStream(path, FileMode.Create, FileAccess.Write);
                file.Write(target, parse.GetValue(rows), stop);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                throw new CommandException(ExitCode.Failed, $"{path} cannot be written: {exception.Message}", exception);
            }
            if (parse.GetValue<bool>(CommandOptions.JsonName))
                terminal.WriteJson(new { file = path, rows = parse.GetValue(rows), bytes = new FileInfo(path).Length });
            else
                terminal.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Wrote {parse.GetValue(rows):N0} customers to {path}."));
            return Task.FromResult(ExitCode.Ok);
        });
        return command;
    }
}
