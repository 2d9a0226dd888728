using System.Globalization;

namespace Sagas.Services.Operations.Pages;

/// <summary>A state's place.</summary>
internal sealed record StateNode(string State, int X, int Y);

/// <summary>An arrow between two states.</summary>
/// <param name="From">The state.</param>
/// <param name="To">The other.</param>
/// <param name="Events">The events that lead there.</param>
/// <param name="Path">Its line.</param>
/// <param name="Head">Its head.</param>
/// <param name="LabelX">Where the events are written.</param>
/// <param name="LabelY">Where the events are written.</param>
internal sealed record StateArrow(string From, string To, string Events, string Path, string Head, int LabelX, int LabelY);

/// <summary>
/// Places states in columns: each to the right of those that lead to it, apart from ways back, which run below.
/// </summary>
internal sealed record StateDiagramLayout(IReadOnlyList<StateNode> Nodes, IReadOnlyList<StateArrow> Arrows, int Width, int Height)
{
    public const int NodeWidth = 140;
    public const int NodeHeight = 40;

    private const int Column = 250;
    private const int Row = 100;
    private const int Margin = 16;
    private const string Start = "Initial";

    public static StateDiagramLayout Of(IReadOnlyList<StateEdge> edges)
    {
        var order = Discover(edges);
        var columns = Columns(edges, order);
        var taken = new HashSet<(int Column, int Row)>();
        var nodes = new Dictionary<string, StateNode>(StringComparer.Ordinal);
        foreach (var state in order)
        {
            var (column, row) = (columns[state], 0);
            while (!taken.Add((column, row)))
                row++;
            nodes[state] = new(state, Margin + (column * Column), Margin + 20 + (row * Row));
            // A line that passes columns has this row there to itself.
            var furthest = edges
                .Where(edge => edge.From == state)
                .Select(edge => columns.GetValueOrDefault(edge.To))
                .DefaultIfEmpty()
                .Max();
            for (var passed = column + 1; passed < furthest; passed++)
                taken.Add((passed, row));
        }

        var height = nodes.Values.Select(node => node.Y).DefaultIfEmpty().Max() + NodeHeight + Margin + 20;
        var arrows = edges
            .Where(edge => nodes.ContainsKey(edge.From) && nodes.ContainsKey(edge.To))
            .GroupBy(edge => (edge.From, edge.To))
            .Select(ways => Arrow(nodes[ways.Key.From], nodes[ways.Key.To], Events(ways)))
            .ToArray();
        var width = (2 * Margin) + NodeWidth + (columns.Values.DefaultIfEmpty().Max() * Column);
        return new([.. nodes.Values], arrows, width, height);
    }

    private static string Events(IEnumerable<StateEdge> ways) =>
        string.Join(", ", ways.Select(way => way.Event.Split('.')[0]).Distinct(StringComparer.Ordinal));

    // The reverse order of a depth-first search's ends: a state comes before those it leads to, apart from ways back.
    private static List<string> Discover(IReadOnlyList<StateEdge> edges)
    {
        var (seen, ended) = (new HashSet<string>(StringComparer.Ordinal), new List<string>());
        if (edges.Any(edge => edge.From == Start))
            Visit(Start);
        ended.Reverse();
        return ended;

        void Visit(string state)
        {
            if (!seen.Add(state))
                return;
            foreach (var edge in edges.Where(edge => edge.From == state))
                Visit(edge.To);
            ended.Add(state);
        }
    }

    private static Dictionary<string, int> Columns(IReadOnlyList<StateEdge> edges, List<string> order)
    {
        var columns = order.ToDictionary(state => state, _ => 0, StringComparer.Ordinal);
        foreach (var state in order)
        {
            foreach (var edge in edges.Where(edge => edge.From == state && order.IndexOf(edge.To) > order.IndexOf(state)))
                columns[edge.To] = Math.Max(columns[edge.To], columns[state] + 1);
        }

        return columns;
    }

    private static StateArrow Arrow(StateNode from, StateNode to, string events) =>
        from.State == to.State ? Loop(from, events)
        : to.X > from.X ? Forward(from, to, events)
        : Back(from, to, events);

    private static StateArrow Loop(StateNode node, string events)
    {
        var (left, right, top) = (node.X + 40, node.X + 100, node.Y);
        var path = $"M{left} {top} C{left} {top - 30} {right} {top - 30} {right} {top}";
        return Line(node, node, events, path, (right, top), (0, -1), (node.X + 70, top - 26));
    }

    private static StateArrow Forward(StateNode from, StateNode to, string events)
    {
        var (x1, y1, x2, y2) = (from.X + NodeWidth, from.Y + (NodeHeight / 2), to.X, to.Y + (NodeHeight / 2));
        var path = $"M{x1} {y1} C{x1 + 50} {y1} {x2 - 50} {y2} {x2} {y2}";
        return Line(from, to, events, path, (x2, y2), (-1, 0), ((x1 + x2) / 2, ((y1 + y2) / 2) - 6));
    }

    private static StateArrow Back(StateNode from, StateNode to, string events)
    {
        if (to.Y >= from.Y && to.X < from.X)
        {
            var (x1, y1, x2, y2) = (from.X, from.Y + (NodeHeight / 2) + 8, to.X + NodeWidth, to.Y + (NodeHeight / 2) + 8);
            var below = $"M{x1} {y1} C{x1 - 50} {y1 + 30} {x2 + 50} {y2 + 30} {x2} {y2}";
            return Line(from, to, events, below, (x2, y2), (1, 0), ((x1 + x2) / 2, ((y1 + y2) / 2) + 24));
        }

        var (startX, startY, endX, endY) = (from.X + 50, from.Y, to.X + 90, to.Y + NodeHeight);
        var path = $"M{startX} {startY} C{startX} {startY - 25} {endX} {endY + 25} {endX} {endY}";
        return Line(from, to, events, path, (endX, endY), (0, 1), ((startX + endX) / 2, ((startY + endY) / 2) + 20));
    }

    private static StateArrow Line(
        StateNode from,
        StateNode to,
        string events,
        string path,
        (int X, int Y) end,
        (int X, int Y) opens,
        (int X, int Y) label
    )
    {
        // The head opens towards where the line comes from.
        var (x, y) = end;
        var (ax, ay) = opens.X != 0 ? (x + (8 * opens.X), y - 5) : (x - 5, y + (8 * opens.Y));
        var (bx, by) = opens.X != 0 ? (x + (8 * opens.X), y + 5) : (x + 5, y + (8 * opens.Y));
        var head = string.Create(CultureInfo.InvariantCulture, $"M{ax} {ay} L{x} {y} L{bx} {by}");
        return new(from.State, to.State, events, path, head, label.X, label.Y);
    }
}
