using System.Text;
using Sagas.FileIntake.Records;

namespace Sagas.UnitTests.FileIntake;

public sealed class TableReaderTests
{
    private static readonly TableColumns _columns = new([new("customer_id", true, "id"), new("name", false, "first name")]);

    [Theory]
    [InlineData("id,name\n1,Ada\nid,name\n2,Bob\n", "1 Ada", "2 Bob")]
    [InlineData("id,name\n1,Ada\n\uFEFF\"ID\",\"Name\"\r\n2,Bob\n", "1 Ada", "2 Bob")]
    [InlineData("\"Customer ID\";\"First name\"\n1;Ada\n", "1 Ada")]
    [InlineData("NAME\tID\nAda\t1\n", "1 Ada")]
    [InlineData("id,name,,\n1,Ada,,\n2,Bob,\n3,Zoë\n", "1 Ada", "2 Bob", "3 Zoë")]
    [InlineData("id,name\n1,Ada,,,\n2,Bob, ,\n", "1 Ada", "2 Bob")]
    [InlineData("\n,,\nid,name\n\n,,\n1,Ada\n", "1 Ada")]
    [InlineData("id,name,note,note\n1,Ada,x,y\n", "1 Ada")]
    [InlineData("id,name\n=\"00127\",Ada\n\"=\"\"00128\"\"\",Bob\n", "00127 Ada", "00128 Bob")]
    [InlineData("id,name\n\u00A01\u200B,Ada\n", "1 Ada")]
    [InlineData("id,name\n\"1;2\",Ada\n", "1;2 Ada")]
    public void What_spreadsheets_and_concatenation_make_is_read(string content, params string[] expected)
    {
        using var file = TextFile.Of(content);

        Assert.Equal(expected, Read(file.Path));
    }

    [Theory]
    [InlineData("id,name\n1,Ada,x\n2\n", "has 3 fields where the header has 2", "has 1 fields where the header has 2")]
    [InlineData("id,name\n1;Ada,x\n", "contains a delimiter; quote it if that is right")]
    [InlineData("id,name\n1\r2,Bob\n", "the row has a line break of another kind than the file's, outside quotes")]
    public void A_row_that_may_mean_something_else_is_a_problem(string content, params string[] expected)
    {
        using var file = TextFile.Of(content);

        Assert.Equal(expected, Read(file.Path));
    }

    [Theory]
    [InlineData("id,em\0ail\nx,bad\n", "control character")]
    [InlineData("id,name\r1,Ada\r2,Bob\n", "mixes line breaks")]
    [InlineData("“id”,“name”\n“1”,“Ada”\n", "typographic quotes")]
    [InlineData("id,name,customer id\n1,Ada,2\n", "Two columns")]
    [InlineData("{\"id\":1}", "JSON")]
    [InlineData("", "empty")]
    [InlineData("name,phone\nAda,1\n", "it has no column named customer_id")]
    public void A_file_that_is_not_certain_is_refused(string content, string reason)
    {
        using var file = TextFile.Of(content);

        Assert.Null(TableReader.Open(file.Path, new RecordReaderOptions(), _columns, out var problem));
        Assert.Contains(reason, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_header_within_the_file_stops_it_there_also_when_it_is_read_again()
    {
        using var file = TextFile.Of("id,name\n1,Ada\nname,id\nBob,2\n");
        using var table = Open(file.Path);
        Assert.True(table.Read());
        var before = table.Next;

        for (var attempt = 0; attempt < 2; attempt++)
        {
            Assert.Contains("Line 3", Assert.Throws<InvalidDataException>(() => table.Read()).Message, StringComparison.Ordinal);
            Assert.Equal(before, table.Next);
        }
        using var again = Open(file.Path);
        again.MoveTo(before);
        Assert.Throws<InvalidDataException>(() => again.Read());
    }

    private static TableReader Open(string path) =>
        TableReader.Open(path, new RecordReaderOptions(), _columns, out var problem) ?? throw new InvalidDataException(problem);

    private static List<string> Read(string path)
    {
        using var table = Open(path);
        var (id, name) = (table.Header.FieldOf("customer_id"), table.Header.FieldOf("name"));
        var rows = new List<string>();
        while (table.Read())
        {
            rows.Add(
                table.RowProblem
                    ?? table.ProblemOfIdentifier(id, table.Trimmed(id))
                    ?? $"{Encoding.UTF8.GetString(table.Trimmed(id))} {Encoding.UTF8.GetString(table.Trimmed(name))}"
            );
        }
        return rows;
    }
}
