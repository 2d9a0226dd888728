using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Sagas.Cli.CommandLine;

/// <summary>The environment, the output and the clock of a command.</summary>
internal sealed class Terminal
{
    // Wide enough that a row is one line for grep or in a file.
    private const int WidthOfAPipe = 160;

    private static readonly JsonSerializerOptions _json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>A terminal on two writers.</summary>
    /// <param name="output">Results.</param>
    /// <param name="error">Everything else.</param>
    /// <param name="width">Columns of the output.</param>
    /// <param name="interactive">Whether the output is interactive: colours and live tables.</param>
    public Terminal(TextWriter output, TextWriter error, int width = WidthOfAPipe, bool interactive = false)
    {
        Output = output;
        Error = error;
        Width = width;
        Interactive = interactive;
        Console = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Out = new AnsiConsoleOutput(output),
                Ansi = interactive ? AnsiSupport.Detect : AnsiSupport.No,
                ColorSystem = interactive ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
                Interactive = interactive ? InteractionSupport.Yes : InteractionSupport.No,
            }
        );
        Console.Profile.Width = width;
        Console.Profile.Capabilities.Unicode = true;
    }

    /// <summary>Results.</summary>
    public TextWriter Output { get; }

    /// <summary>Progress, notes and errors.</summary>
    public TextWriter Error { get; }

    /// <summary>Columns of the output.</summary>
    public int Width { get; }

    /// <summary>Whether the output is interactive.</summary>
    public bool Interactive { get; }

    /// <summary>Tables and colours on <see cref="Output"/>.</summary>
    public IAnsiConsole Console { get; }

    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Looks an environment variable up.</summary>
    public Func<string, string?> Environment { get; init; } = System.Environment.GetEnvironmentVariable;

    /// <summary>The terminal that this process was started in.</summary>
    public static Terminal OfProcess()
    {
        System.Console.OutputEncoding = new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        var redirected = System.Console.IsOutputRedirected;
        return new Terminal(StandardOutput.OpenText(), System.Console.Error, Columns(redirected), !redirected);
    }

    /// <summary>Writes one JSON value to <see cref="Output"/>.</summary>
    /// <param name="value">An object or a list.</param>
    public void WriteJson(object value) => Output.WriteLine(JsonSerializer.Serialize(value, _json));

    /// <summary>Writes a table, or anything that Spectre.Console draws, to <see cref="Output"/>.</summary>
    /// <param name="content">What to write.</param>
    public void Write(IRenderable content)
    {
        if (Interactive)
        {
            Console.Write(content);
            return;
        }

        // Spectre.Console pads every line to the width of the table, which a file or a pipe does not need.
        using var text = new StringWriter { NewLine = "\n" };
        new Terminal(text, Error, Width).Console.Write(content);
        var lines = text.ToString().Split('\n').Select(line => line.TrimEnd());
        Output.WriteLine(string.Join(System.Environment.NewLine, lines).Trim('\r', '\n'));
    }

    private static int Columns(bool redirected)
    {
        if (int.TryParse(System.Environment.GetEnvironmentVariable("COLUMNS"), out var columns) && columns >= 40)
            return columns;

        return redirected || System.Console.WindowWidth < 40 ? WidthOfAPipe : System.Console.WindowWidth;
    }
}
