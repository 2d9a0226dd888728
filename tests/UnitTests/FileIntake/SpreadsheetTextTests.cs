using Sagas.FileIntake.Storage;

namespace Sagas.UnitTests.FileIntake;

public sealed class SpreadsheetTextTests
{
    [Theory]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("+49 30", "'+49 30")]
    [InlineData("-7", "'-7")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData("\t=1", "'\t'=1")]
    [InlineData("\r=1", "'\r'=1")]
    [InlineData("＝1", "'＝1")]
    [InlineData("'00127", "''00127")]
    [InlineData("\"=1\",x", "\"'=1\",x")]
    [InlineData("1;=cmd|' /C calc'!A0;x", "1;'=cmd|' /C calc'!A0;x")]
    [InlineData("a\n=1", "a\n'=1")]
    [InlineData("127,a=b,-1", "127,a=b,-1")]
    [InlineData("", "")]
    public void A_formula_is_text_and_the_original_can_be_had_again(string text, string guarded)
    {
        Assert.Equal(guarded, SpreadsheetText.Guard(text));
        Assert.Equal(text, Original(guarded));
    }

    // One apostrophe is removed at the start, and after each ; tab or line break, with the quotes that follow.
    private static string Original(string guarded) =>
        System.Text.RegularExpressions.Regex.Replace(guarded, "(^|[;\t\r\n])(\"*)'", "$1$2");
}
