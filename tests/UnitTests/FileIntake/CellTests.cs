using System.Text;
using Sagas.FileIntake.Records;

namespace Sagas.UnitTests.FileIntake;

public sealed class CellTests
{
    [Theory]
    [InlineData(" \u00A0127\u00A0\t", "127")]
    [InlineData("\u200B127\uFEFF", "127")]
    [InlineData("\u202A127\u202C", "127")]
    [InlineData("\u2003Zoë é\u00AD", "Zoë é")]
    [InlineData("127", "127")]
    [InlineData("\u00A0", "")]
    public void White_space_and_invisible_characters_around_a_cell_do_not_count(string text, string expected) =>
        Assert.Equal(expected, Encoding.UTF8.GetString(Cell.Trim(Encoding.UTF8.GetBytes(text))));

    [Theory]
    [InlineData("=\"00127\"", "00127")]
    [InlineData("=\"\"", "")]
    [InlineData("=\"a\"&\"b\"", "=\"a\"&\"b\"")]
    [InlineData("=A1", "=A1")]
    public void Text_that_was_written_as_a_formula_is_unwrapped(string text, string expected) =>
        Assert.Equal(expected, Encoding.UTF8.GetString(Cell.Unwrap(Encoding.UTF8.GetBytes(text))));

    [Theory]
    [InlineData("1.23457E+15", "shortened")]
    [InlineData("1,23457E+15", "shortened")]
    [InlineData("4E-05", "shortened")]
    [InlineData("127.0", "decimal")]
    [InlineData("1-Mar", "date")]
    [InlineData("Mar-26", "date")]
    [InlineData("NULL", "missing value")]
    [InlineData("nan", "missing value")]
    [InlineData("\\N", "missing value")]
    [InlineData("N/A", "missing value")]
    [InlineData("#N/A", "spreadsheet")]
    [InlineData("#REF!", "spreadsheet")]
    [InlineData("#NAME?", "spreadsheet")]
    [InlineData("=A1+1", "formula")]
    [InlineData("'00127", "apostrophe")]
    [InlineData("“127”", "typographic")]
    [InlineData("1\u200B27", "invisible")]
    [InlineData("1\u00A027", "invisible")]
    [InlineData("1\u000127", "control")]
    [InlineData("1\u008527", "control")]
    [InlineData("M\uFFFDller", "U+FFFD")]
    [InlineData("-----", "letter or digit")]
    [InlineData("", "empty")]
    public void An_identifier_that_a_spreadsheet_or_exporter_spoiled_is_rejected(string id, string reason) =>
        Assert.Contains(reason, Cell.ProblemOfIdentifier(Encoding.UTF8.GetBytes(id)), StringComparison.Ordinal);

    [Theory]
    [InlineData("127")]
    [InlineData("00127")]
    [InlineData("C-0012")]
    [InlineData("5E10")]
    [InlineData("1.2.3")]
    [InlineData("ada@example.org")]
    [InlineData("+49 30 123")]
    [InlineData("-7")]
    [InlineData("Zoë Müller")]
    [InlineData("#42")]
    [InlineData("DE|4711")]
    [InlineData("2026-03")]
    [InlineData("nullable")]
    [InlineData("客户七")]
    public void Other_identifiers_are_accepted(string id) => Assert.Null(Cell.ProblemOfIdentifier(Encoding.UTF8.GetBytes(id)));

    [Theory]
    [InlineData("#VALUE!", "spreadsheet")]
    [InlineData("NULL", "missing value")]
    [InlineData("\\N", "missing value")]
    [InlineData("a\u0000b", "U+0000")]
    [InlineData("M\u0081ller", "encoding")]
    [InlineData("M\uFFFDller", "U+FFFD")]
    public void A_text_that_was_lost_is_rejected(string text, string reason) =>
        Assert.Contains(reason, Cell.ProblemOfText(Encoding.UTF8.GetBytes(text)), StringComparison.Ordinal);

    [Theory]
    [InlineData("Null")]
    [InlineData("None of it")]
    [InlineData("#1 in sales!")]
    [InlineData("= equals")]
    [InlineData("Zoë\r\nŒuvre")]
    [InlineData("'s-Gravenhage")]
    public void Other_texts_are_accepted(string text) => Assert.Null(Cell.ProblemOfText(Encoding.UTF8.GetBytes(text)));
}
