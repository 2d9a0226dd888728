namespace Sagas.EndToEndTests.CommandLine;

/// <summary>A command that a page of the documentation shows.</summary>
/// <param name="Page">The page.</param>
/// <param name="Text">What is typed.</param>
/// <param name="Output">The first line that the page shows of its output, if it shows any.</param>
internal sealed record DocumentedCommand(string Page, string Text, string? Output)
{
    private const string Fence = "```";
    private const string Prompt = "$ ";
    private const string Indent = "    ";

    /// <summary>The commands of a page, in order: lines after a prompt in fenced blocks, and lines of indented blocks.</summary>
    public static IReadOnlyList<DocumentedCommand> Of(string page)
    {
        var commands = new List<DocumentedCommand>();
        var isFenced = false;
        foreach (var line in File.ReadLines(Path.Combine(Repository.Root, page)))
        {
            if (line.StartsWith(Fence, StringComparison.Ordinal))
                isFenced = !isFenced;
            else if (isFenced && line.StartsWith(Prompt, StringComparison.Ordinal))
                commands.Add(new DocumentedCommand(page, line[Prompt.Length..].Trim(), null));
            else if (isFenced && commands is [.., { Output: null } last] && line.Trim().Length > 0)
                commands[^1] = last with { Output = line.Trim() };
            else if (!isFenced && line.StartsWith(Indent, StringComparison.Ordinal) && line.Trim().Length > 0)
                commands.AddRange(Parts(line).Select(part => new DocumentedCommand(page, part, "")));
        }

        return commands;
    }

    // Without the comment after it; `a && b` is two commands.
    private static IEnumerable<string> Parts(string line) => line.Split('#')[0].Split("&&", StringSplitOptions.TrimEntries);
}
