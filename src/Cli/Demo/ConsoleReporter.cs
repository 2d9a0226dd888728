using Sagas.Cli.CommandLine;
using Spectre.Console;

namespace Sagas.Cli.Demo;

/// <summary>Reports what the demo does, sentence by sentence.</summary>
/// <param name="terminal">Takes the sentences.</param>
/// <param name="json">Whether standard output is for one JSON value.</param>
internal sealed class ConsoleReporter(Terminal terminal, bool json)
{
    private int _steps;

    /// <summary>Whether standard output is for one JSON value.</summary>
    public bool Json { get; } = json;

    /// <summary>A sentence.</summary>
    public void Say(string sentence) => Writer.WriteLine(sentence);

    /// <summary>A sentence after an empty line.</summary>
    public void Paragraph(string sentence)
    {
        Writer.WriteLine();
        if (sentence.Length > 0)
            Say(sentence);
    }

    /// <summary>The next step.</summary>
    public void Step(string sentence)
    {
        Writer.WriteLine();
        var text = $"{++_steps}. {sentence}";
        if (Json)
            Say(text);
        else
            terminal.Write(new Text(text + "\n", new Style(decoration: Decoration.Bold)));
    }

    /// <summary>The result of the step.</summary>
    public void Result(string sentence) => Say("   " + sentence);

    /// <summary>A command to try, and its purpose.</summary>
    public void Code(string what, string command)
    {
        Writer.WriteLine($"  {what}:");
        Writer.WriteLine($"    {command}");
    }

    private TextWriter Writer => Json ? terminal.Error : terminal.Output;
}
