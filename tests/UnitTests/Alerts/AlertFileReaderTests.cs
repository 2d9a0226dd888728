using Sagas.FileIntake.Records;
using Sagas.Services.Alerts;
using Sagas.UnitTests.FileIntake;

namespace Sagas.UnitTests.Alerts;

public sealed class AlertFileReaderTests
{
    [Theory]
    [InlineData("125,Order has been placed\n")]
    [InlineData("userId,alertMessage\n125,Order has been placed\n")]
    [InlineData("\uFEFFuser_id,alert_message\r\n 125 ,Order has been placed\r\n")]
    [InlineData("channel,message,user\nsms,Order has been placed,125")]
    [InlineData("\"USERID\",\"AlertMessage\"\n\"125\",\"Order has been placed\"")]
    [InlineData("sep=,\r\nuserId,alertMessage\r\n125,Order has been placed\r\n")]
    [InlineData("sep=;\r\n125;Order has been placed\r\n")]
    [InlineData("userId;alertMessage;;\n125;Order has been placed;;\n;;;\n")]
    [InlineData("userId\talertMessage\n\u00A0125\u200B\tOrder has been placed\n\u001A")]
    [InlineData("userId,alertMessage\r125,Order has been placed\r")]
    [InlineData("userId,alertMessage\n=\"125\",Order has been placed\nuserId,alertMessage\n")]
    [InlineData("125, \"Order has been placed\" \n")]
    public void A_file_may_have_a_header_in_any_order_or_none(string content) =>
        Assert.Equal(
            ["125: Order has been placed"],
            Read(content).Select(row => $"{row.Alert!.UserId}: {row.Alert.AlertMessage}")
        );

    [Theory]
    [InlineData("125,a\n126\n", 2, "1 fields where 2")]
    [InlineData("125,a\n126,b,c\n", 2, "3 fields where 2")]
    [InlineData("125,a\n,b\n", 2, "The user id is empty")]
    [InlineData("125,a\n126,\n", 2, "The message is empty")]
    [InlineData("125,a\n126;Hi, there\n", 2, "The user id contains a delimiter")]
    [InlineData("125,a\n1.23E+15,b\n", 2, "The user id is a number that a spreadsheet shortened")]
    [InlineData("125,a\n#N/A,b\n", 2, "The user id is an error of a spreadsheet")]
    [InlineData("125,a\n126,#REF!\n", 2, "The message is an error of a spreadsheet")]
    [InlineData("125,a\n126,NULL\n", 2, "The message stands for a missing value")]
    [InlineData("125,a\n126, \"b\" c\n", 2, "follows the quote")]
    [InlineData("125,a\n126,b\r127,c\n", 2, "line break of another kind")]
    [InlineData("userId,alertMessage\n125,a\nuserId,b\n", 3, "name of a column")]
    [InlineData("125,\"a\nb\"\n126,\" \"\n", 3, "message")]
    [InlineData("125,a\n1\u00012,b\n", 2, "control character")]
    [InlineData("125,a\n126,\"b\n", 2, "never closed")]
    public void An_invalid_row_is_rejected_with_its_line_and_reason(string content, long line, string reason)
    {
        var rows = Read(content);

        Assert.NotNull(rows[0].Alert);
        Assert.Equal((line, null), (rows[1].Line, rows[1].Alert));
        Assert.Contains(reason, rows[1].Rejected!.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_message_that_is_too_long_is_rejected_and_the_next_row_is_read()
    {
        var rows = Read($"125,{new string('x', 4097)}\n126,{new string('x', 100_000)}\n127,{new string('x', 4096)}\n");

        Assert.Equal([false, false, true], rows.Select(row => row.Alert is not null));
        Assert.InRange(rows[1].Rejected!.Record.Length, 1, 2_000);
    }

    [Theory]
    [InlineData("userId;alertMessage\n125;Hello\n127;Hi, there\n", "Hi, there")]
    [InlineData("125;Hello, you\n127;Hi, there\n", "Hi, there")]
    [InlineData("125,Hello; you\n127,Hi; there\n", "Hi; there")]
    [InlineData("127|Hi, there; you\n", "Hi, there; you")]
    public void The_delimiter_of_a_message_is_not_that_of_the_file(string content, string message) =>
        Assert.Equal(("127", message), Read(content).Select(row => (row.Alert!.UserId, row.Alert.AlertMessage)).Last());

    [Theory]
    [InlineData("userId,subject\n125,a\n", "it has no column named alertMessage")]
    [InlineData("id,first_name\n1,Ada\n", "it has no column named userId")]
    [InlineData("name,email\nAda,ada@example.org\n", "it has no column named userId")]
    [InlineData("Kunde,Nachricht\n1,Hallo\n2,Hallo\n", "it has no column named userId")]
    [InlineData("id,first_name,email\n1,Ada,ada@example.org\n", "it has no column named userId")]
    [InlineData("1,Ada,ada@example.org\n2,Bob\n", "has 3 fields where 2 are expected")]
    [InlineData("125,Hello\r126,Hi\n127,Yo\r\n", "mixes line breaks")]
    [InlineData("{\"userId\":\"125\",\"alertMessage\":\"x\"}\n", "JSON")]
    [InlineData("“userId”,“alertMessage”\n“125”,“x”\n", "typographic quotes")]
    public void A_file_that_may_be_something_else_is_refused(string content, string reason)
    {
        using var file = TextFile.Of(content);

        Assert.Null(AlertFileReader.Open(file.Path, null, RecordPosition.Start, out var problem));
        Assert.Contains(reason, problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("125,Alert!\n126,Message\n")]
    [InlineData("ada,Hello\nbob,Hi\n")]
    [InlineData("ada,Hello\n")]
    public void A_first_row_that_is_no_header_is_an_alert(string content) => Assert.NotNull(Read(content)[0].Alert);

    [Fact]
    public void Reading_can_continue_at_any_row_and_takes_none_for_the_header()
    {
        using var file = TextFile.Of("message,user\na,1\n\"b\nc\",2\nd,3\n");
        var all = Read(file.Path, RecordPosition.Start, out var places);

        for (var from = 0; from < places.Count; from++)
            Assert.Equal(all.Skip(from + 1), Read(file.Path, places[from], out _));
    }

    private static List<AlertRow> Read(string content)
    {
        using var file = TextFile.Of(content);
        return Read(file.Path, RecordPosition.Start, out _);
    }

    private static List<AlertRow> Read(string path, RecordPosition from, out List<RecordPosition> places)
    {
        using var reader = AlertFileReader.Open(path, null, from, out _)!;
        var rows = new List<AlertRow>();
        for (places = []; reader.Read(out var row); places.Add(reader.Next))
            rows.Add(row);
        return rows;
    }
}
