namespace Sagas.Cli.Tables;

/// <summary>A column of a table.</summary>
/// <typeparam name="T">What a row is made from.</typeparam>
/// <param name="Title">The heading.</param>
/// <param name="Text">The cell.</param>
/// <param name="FromWidth">Shown where the terminal has at least this many columns.</param>
/// <param name="Colour">The cell's colour; null: none.</param>
/// <param name="Right">Aligned to the right: numbers.</param>
/// <param name="Break">Whether a long text is wrapped, rather than cut.</param>
/// <param name="Always">Whether it is shown although all of its cells are empty.</param>
internal sealed record Column<T>(
    string Title,
    Func<T, string?> Text,
    int FromWidth = 0,
    Func<T, string?>? Colour = null,
    bool Right = false,
    bool Break = true,
    bool Always = true
);
