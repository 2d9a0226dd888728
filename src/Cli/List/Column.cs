namespace Sagas.Cli.List;

/// <summary>A column of a table for people.</summary>
/// <typeparam name="T">What a row is made from.</typeparam>
/// <param name="Title">The heading.</param>
/// <param name="Text">The cell.</param>
/// <param name="FromWidth">Shown where the terminal has at least so many columns.</param>
/// <param name="Colour">The cell's colour; null: none.</param>
/// <param name="Right">Aligned to the right: numbers.</param>
/// <param name="Break">Whether a long text goes on in the next line, rather than keeping the row one line high.</param>
internal sealed record Column<T>(
    string Title,
    Func<T, string?> Text,
    int FromWidth = 0,
    Func<T, string?>? Colour = null,
    bool Right = false,
    bool Break = true);
