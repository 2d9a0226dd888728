using System.CommandLine;
using Npgsql;
using Sagas.Cli.CommandLine;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Sagas.Cli.Tables;

/// <summary>Shows rows: as JSON, as a table, or as a table that is renewed every second.</summary>
/// <typeparam name="T">A row.</typeparam>
/// <param name="terminal">Takes the output.</param>
/// <param name="columns">The table's columns.</param>
/// <param name="none">The sentence in place of an empty table.</param>
internal sealed class Listing<T>(Terminal terminal, IReadOnlyList<Column<T>> columns, string none)
{
    // The heading, the rule, the line with the time and the prompt.
    private const int LinesAroundRows = 6;

    /// <summary>Shows rows until done, or until stopped with <c>--watch</c>.</summary>
    public async Task<int> RunAsync(
        ParseResult parse,
        Func<int, CancellationToken, Task<IReadOnlyList<T>>> read,
        CancellationToken cancellationToken
    )
    {
        var limit = parse.GetValue<int>(ListOptions.LimitName);
        if (parse.GetValue<bool>(CommandOptions.JsonName))
            terminal.WriteJson(await read(limit, cancellationToken));
        else if (parse.GetValue<bool>(ListOptions.WatchName))
            await WatchAsync(limit, read, cancellationToken);
        else
            await ShowAsync(limit, read, cancellationToken);
        return ExitCode.Ok;
    }

    /// <summary>Draws rows.</summary>
    public IRenderable Draw(IReadOnlyList<T> rows)
    {
        if (rows.Count == 0)
            return new Text(none + "\n");

        var table = new Table { Border = TableBorder.Simple };
        var shown = columns
            .Where(column => column.FromWidth <= terminal.Width)
            .Where(column => column.Always || rows.Any(row => !string.IsNullOrEmpty(column.Text(row))))
            .ToList();
        foreach (var column in shown)
        {
            table.AddColumn(
                new TableColumn(new Text(column.Title, new Style(decoration: Decoration.Bold)))
                {
                    Alignment = column.Right ? Justify.Right : Justify.Left,
                    NoWrap = column.Right || !column.Break,
                    Padding = new Padding(0, 0, 1, 0),
                }
            );
        }

        foreach (var row in rows)
            table.AddRow(shown.Select(column => Cell(column, row)));
        return table;
    }

    private static Text Cell(Column<T> column, T row)
    {
        var colour = column.Colour?.Invoke(row);
        return new Text(Format.Clean(column.Text(row)), colour is null ? null : Style.Parse(colour))
        {
            Overflow = column.Break ? Overflow.Fold : Overflow.Ellipsis,
        };
    }

    private async Task ShowAsync(
        int limit,
        Func<int, CancellationToken, Task<IReadOnlyList<T>>> read,
        CancellationToken cancellationToken
    )
    {
        var rows = await read(limit + 1, cancellationToken);
        terminal.Write(Draw([.. rows.Take(limit)]));
        if (rows.Count > limit)
            await terminal.Error.WriteLineAsync(
                $"There are more than these {limit}; {ListOptions.LimitName} <number> shows more."
            );
    }

    private async Task WatchAsync(
        int limit,
        Func<int, CancellationToken, Task<IReadOnlyList<T>>> read,
        CancellationToken cancellationToken
    )
    {
        if (terminal.Interactive)
            limit = Math.Min(limit, Math.Max(1, terminal.Console.Profile.Height - LinesAroundRows));
        var rows = await read(limit, cancellationToken);
        try
        {
            if (terminal.Interactive)
                await terminal.Console.Live(Page(rows)).StartAsync(live => RenewAsync(page => live.UpdateTarget(page)));
            else
                await RenewAsync(terminal.Write);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Ctrl-C is how watching ends.
        }

        async Task RenewAsync(Action<IRenderable> show)
        {
            using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), terminal.TimeProvider);
            show(Page(rows));
            while (await timer.WaitForNextTickAsync(cancellationToken))
                show(await NextPageAsync(limit, read, cancellationToken));
        }
    }

    private async Task<IRenderable> NextPageAsync(
        int limit,
        Func<int, CancellationToken, Task<IReadOnlyList<T>>> read,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return Page(await read(limit, cancellationToken));
        }
        catch (Exception exception)
            when (exception is NpgsqlException or CommandException or RabbitMQ.Client.Exceptions.RabbitMQClientException)
        {
            // A server may restart while the list is watched.
            return new Text($"{Format.Clean(exception.Message)}\nRetrying; Ctrl-C ends.\n");
        }
    }

    private Rows Page(IReadOnlyList<T> rows) =>
        new(
            Draw(rows),
            new Text($"{Format.Moment(terminal.TimeProvider.GetUtcNow())}, every second; Ctrl-C ends.", Style.Parse("grey"))
        );
}
