using System.Buffers;
using System.Text;

namespace Sagas.FileIntake.Storage;

/// <summary>
/// Text that a spreadsheet does not run as a formula. An apostrophe is inserted before a character that would begin one, and
/// before an apostrophe in its place: at the start, and after <c>;</c>, a tab or a line break, where a spreadsheet with another
/// delimiter begins a new cell. Who removes one apostrophe at each of these places has the original.
/// </summary>
internal static class SpreadsheetText
{
    private static readonly SearchValues<char> _starts = SearchValues.Create("=+-@'\t\r＝＋－＠");
    private static readonly SearchValues<char> _cellBreaks = SearchValues.Create(";\t\r\n");

    public static string Guard(string text)
    {
        StringBuilder? guarded = null;
        var isStart = true;
        for (var index = 0; index < text.Length; index++)
        {
            var character = text[index];
            if (isStart && _starts.Contains(character))
            {
                guarded ??= new StringBuilder(text, 0, index, text.Length + 8);
                guarded.Append('\'');
            }
            guarded?.Append(character);
            // A quote may open the cell.
            isStart = _cellBreaks.Contains(character) || (isStart && character == '"');
        }
        return guarded?.ToString() ?? text;
    }
}
