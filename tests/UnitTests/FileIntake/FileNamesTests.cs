using System.Text;
using Sagas.FileIntake;

namespace Sagas.UnitTests.FileIntake;

public sealed class FileNamesTests
{
    [Theory]
    [InlineData("a.csv", "a.csv.rejects.csv")]
    [InlineData("a.csv.gz", "a.csv.gz.rejects.csv")]
    [InlineData("/x/a.txt", "/x/a.txt.rejects.csv")]
    [InlineData(".csv", ".csv.rejects.csv")]
    public void Files_that_differ_in_their_ending_have_rejects_of_their_own(string name, string expected) =>
        Assert.Equal(expected, FileNames.Append(name, FileNames.Rejects));

    [Fact]
    public void A_name_that_would_be_too_long_is_cut_between_two_characters()
    {
        foreach (var character in new[] { "x", "ß", "€", "😀" })
        {
            var name = string.Concat(Enumerable.Repeat(character, 250 / Encoding.UTF8.GetByteCount(character)));

            var rejects = FileNames.Append(name, FileNames.Rejects);
            var second = FileNames.Numbered(name + ".csv", 2);

            Assert.InRange(Encoding.UTF8.GetByteCount(rejects), 252, 255);
            Assert.EndsWith(character + FileNames.Rejects, rejects, StringComparison.Ordinal);
            Assert.InRange(Encoding.UTF8.GetByteCount(second), 1, 255);
            Assert.EndsWith(character + ".2.csv", second, StringComparison.Ordinal);
        }
    }
}
