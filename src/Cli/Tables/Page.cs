using Sagas.Cli.CommandLine;
using Sagas.Cli.Database;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Sagas.Cli.Tables;

/// <summary>A page about one thing: a heading, its fields, then tables.</summary>
/// <param name="terminal">Takes the page.</param>
internal sealed class Page(Terminal terminal)
{
    private readonly List<(string Name, string Value)> _fields = [];

    /// <summary>Writes the heading.</summary>
    public void Heading(string text, string state)
    {
        var heading = new Paragraph();
        heading.Append(Format.Clean(text), new Style(decoration: Decoration.Bold));
        heading.Append("  ");
        heading.Append(Format.Clean(state), Format.Colour(state) is { } colour ? Style.Parse(colour) : null);
        heading.Append("\n");
        terminal.Write(heading);
        terminal.Output.WriteLine();
    }

    /// <summary>Adds a field that has a value.</summary>
    public Page Field(string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
            _fields.Add((name, Format.Clean(value)));
        return this;
    }

    /// <summary>Writes the fields added so far.</summary>
    public void WriteFields()
    {
        var grid = new Grid().AddColumn(new GridColumn { NoWrap = true, Padding = new Padding(1, 0, 2, 0) }).AddColumn();
        foreach (var (name, value) in _fields)
            grid.AddRow(new Text(name, Style.Parse("grey")), new Text(value) { Overflow = Overflow.Fold });
        terminal.Write(grid);
        _fields.Clear();
    }

    /// <summary>Writes a table under its heading.</summary>
    public void Section(string heading, IRenderable content)
    {
        terminal.Output.WriteLine();
        terminal.Write(new Text(heading + "\n", new Style(decoration: Decoration.Bold)));
        terminal.Write(content);
    }

    /// <summary>Writes a text of many lines under its heading.</summary>
    public void Section(string heading, string text) =>
        Section(heading, new Text(string.Join('\n', text.Split('\n').Select(line => Format.Clean(line.TrimEnd('\r')))) + "\n"));

    /// <summary>Writes a saga's history.</summary>
    public void Timeline(IReadOnlyList<Transition> timeline)
    {
        var first = timeline.Count > 0 ? timeline[0].OccurredAt : default;
        Column<Transition>[] columns =
        [
            new("When", step => Format.ExactMoment(step.OccurredAt), Break: false),
            new("After", step => Format.Duration(step.OccurredAt - first), Right: true),
            new("Event", step => step.Event),
            new("State", Step, Colour: step => Format.Colour(step.ToState)),
            new("Message id", step => step.MessageId?.ToString("D"), FromWidth: 140, Break: false),
        ];
        Section("Timeline", new Listing<Transition>(terminal, columns, "No transitions.").Draw(timeline));
    }

    private static string Step(Transition step) =>
        step.FromState == step.ToState ? $"still {step.ToState}"
        : step.FromState is null ? step.ToState
        : $"{step.FromState} → {step.ToState}";
}
