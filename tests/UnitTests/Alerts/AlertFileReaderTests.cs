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
    public void A_file_may_have_a_header_in_any_order_or_none(string content) =>
        Assert.Equal(
            ["125: Order has been placed"],
            Read(content).Select(row => $"{row.Alert!.UserId}: {row.Alert.AlertMessage}")
        );

    [Theory]
    [InlineData("125,a\n126\n", 2, "1 fields where 2")]
    [InlineData("125,a\n126,b,c\n", 2, "3 fields where 2")]
    [InlineData("125,a\n,b\n", 2, "user id")]
    [InlineData("125,a\n126,\n", 2, "message")]
    [InlineData("125,\"a\nb\"\n126,\" \"\n", 3, "message")]
    [InlineData("125,a\n1\u00012,b\n", 2, "control characters")]
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

    [Fact]
    public void A_header_with_only_one_of_the_columns_is_invalid()
    {
        using var file = TextFile.Of("userId,subject\n125,a\n");

        Assert.Null(AlertFileReader.Open(file.Path, RecordPosition.Start, out var problem));
        Assert.Contains("it has no column named alertMessage", problem, StringComparison.Ordinal);
    }

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
        using var reader = AlertFileReader.Open(path, from, out _)!;
        var rows = new List<AlertRow>();
        for (places = []; reader.Read(out var row); places.Add(reader.Next))
            rows.Add(row);
        return rows;
    }
}
