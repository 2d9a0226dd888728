using System.CommandLine;
using Npgsql;
using Sagas.Cli.CommandLine;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Sagas.Cli.List;

/// <summary>Shows rows: once as JSON or as a table, or as a table that renews itself.</summary>
/// <typeparam name="T">A row.</typeparam>
/// <param name="terminal">Takes the output.</param>
/// <param name="columns">The table's columns.</param>
/// <param name="none">The sentence that stands for an empty table.</param>
internal sealed class Listing<T>(Terminal terminal, IReadOnlyList<Column<T>> columns, string none)
{
    // Heading, rule, the line of the time and the prompt.
    private const int LinesAroundRows = 6;

    /// <summary>Shows rows until done, or until stopped with <c>--watch</c>.</summary>
    /// <param name="parse">Says how.</param>
    /// <param name="read">Reads at most so many rows.</param>
    /// <param name="stop">Ends watching.</param>
    public async Task<int> RunAsync(
        ParseResult parse,
        Func<int, CancellationToken, Task<IReadOnlyList<T>>> read,
        CancellationToken stop)
    {
        var limit = parse.GetValue<int>(ListOptions.LimitName);
        if (parse.GetValue<bool>(CommandOptions.JsonName))
            terminal.WriteJson(await read(limit, stop));
        else if (parse.GetValue<bool>(ListOptions.WatchName))
            await WatchAsync(limit, read, stop);
        else
            await ShowAsync(limit, read, stop);
        return ExitCode.Ok;
    }

    /// <summary>Draws rows.</summary>
    public IRenderable Draw(IReadOnlyList<T> rows)
    {
        if (rows.Count == 0)
            return new Text(none + "\n");

        var table = new Table { Border = TableBorder.Simple };
        var shown = columns.Where(column => column.FromWidth <= terminal.Width).ToList();
        foreach (var column in shown)
        {
            table.AddColumn(new TableColumn(new Text(column.Title, new Style(decoration: Decoration.Bold)))
            {
                Alignment = column.Right ? Justify.Right : Justify.Left,
                NoWrap = column.Right || !column.Break,
                Padding = new Padding(0, 0, 1, 0),
            });
        }

        foreach (var row in rows)
            table.AddRow(shown.Select(column => Cell(column, row)));
        return table;
    }

    private static Text Cell(Column<T> column, T row)
    {
        var colour = column.Colour?.Invoke(row);
        return new Text(Display.Clean(column.Text(row)), colour is null ? null : Style.Parse(colour))
        {
            Overflow = column.Break ? Overflow.Fold : Overflow.Ellipsis,
        };
    }

    private async Task ShowAsync(int limit, Func<int, CancellationToken, Task<IReadOnlyList<T>>> read, CancellationToken stop)
    {
        var rows = await read(limit + 1, stop);
        terminal.Write(Draw([.. rows.Take(limit)]));
        if (rows.Count > limit)
            await terminal.Error.WriteLineAsync($"There are more than these {limit}: {ListOptions.LimitName} <number> shows them.");
    }

    private async Task WatchAsync(int limit, Func<int, CancellationToken, Task<IReadOnlyList<T>>> read, CancellationToken stop)
    {
        if (terminal.Interactive)
            limit = Math.Min(limit, Math.Max(1, terminal.Console.Profile.Height - LinesAroundRows));
        var rows = await read(limit, stop);
        try
        {
            if (terminal.Interactive)
                await terminal.Console.Live(Page(rows)).StartAsync(live => RenewAsync(page => live.UpdateTarget(page)));
            else
                await RenewAsync(terminal.Write);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Ctrl-C is how watching ends.
        }

        async Task RenewAsync(Action<IRenderable> show)
        {
            using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), terminal.Time);
            show(Page(rows));
            while (await timer.WaitForNextTickAsync(stop))
                show(await NextPageAsync(limit, read, stop));
        }
    }

    private async Task<IRenderable> NextPageAsync(int limit, Func<int, CancellationToken, Task<IReadOnlyList<T>>> read, CancellationToken stop)
    {
        try
        {
            return Page(await read(limit, stop));
        }
        catch (Exception exception) when (exception is NpgsqlException or CommandException or RabbitMQ.Client.Exceptions.RabbitMQClientException)
        {
            // A server that restarts is part of what one watches.
            return new Text($"{Display.Clean(exception.Message)}\nTrying again; Ctrl-C ends.\n");
        }
    }

    private Rows Page(IReadOnlyList<T> rows) => new(
        Draw(rows),
        new Text($"{Display.Moment(terminal.Time.GetUtcNow())}, every second; Ctrl-C ends.", Style.Parse("grey")));
}
