using System.IO.Compression;
using System.Text;
using Sagas.Services.Alerts;
using Sagas.Services.Files;

namespace Sagas.HarnessTests.Alerts;

public sealed class AlertFileReaderTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Theory]
    [InlineData("userId,alertMessage\n1,hello\n", 2)]
    [InlineData("Alert_Message,extra,USER ID\nhello,x,1\n", 2)]
    [InlineData("1,hello\n", 1)]
    [InlineData("\uFEFFuser_id,message\r\n1,hello", 2)]
    public void A_row_is_an_alert_with_or_without_a_header(string content, long line)
    {
        File.WriteAllText(_path, content);

        var row = Assert.Single(Read(RecordPosition.Start));

        Assert.Equal((line, "1", "hello"), (row.Line, row.Alert?.UserId, row.Alert?.AlertMessage));
    }

    [Theory]
    [InlineData(",hello", "user id")]
    [InlineData("1,", "message")]
    [InlineData("1,a,b", "3 fields")]
    [InlineData("1", "1 fields")]
    [InlineData("1,\"open", "never closed")]
    public void What_is_no_alert_is_rejected_with_its_line_and_the_rest_is_read(string bad, string reason)
    {
        File.WriteAllText(_path, $"1,first\n2,second\n{bad}\n");

        var rows = Read(RecordPosition.Start);

        Assert.Equal([1, 2, 3], rows.Select(row => row.Line));
        Assert.Equal(2, rows.Count(row => row.Alert is not null));
        Assert.Contains(reason, rows[2].Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("userId,text of it")]
    [InlineData("name,User_Id")]
    public void A_header_without_both_columns_is_no_alert_to_a_user_of_that_name(string header)
    {
        File.WriteAllText(_path, header.Replace("text of it", "subject", StringComparison.Ordinal) + "\n1,hello\n");

        Assert.Throws<InvalidDataException>(() => Read(RecordPosition.Start));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Reading_goes_on_at_any_row_with_the_same_lines(bool compressed)
    {
        var text = "userId,alertMessage\n" + string.Concat(Enumerable.Range(1, 50).Select(number => $"{number},\"two\nlines {number}\"\n"));
        using (var file = File.Create(_path))
        using (var target = compressed ? new GZipStream(file, CompressionLevel.Fastest) : (Stream)file)
            target.Write(Encoding.UTF8.GetBytes(text));
        var whole = Read(RecordPosition.Start);

        var pieces = new List<AlertRow>();
        for (var at = RecordPosition.Start; ;)
        {
            using var reader = AlertFileReader.Open(_path, at);
            if (!reader.Read(out var row))
                break;
            pieces.Add(row);
            at = reader.Next;
        }

        Assert.Equal(50, whole.Count);
        Assert.Equal(whole, pieces);
    }

    private List<AlertRow> Read(RecordPosition from)
    {
        using var reader = AlertFileReader.Open(_path, from);
        var rows = new List<AlertRow>();
        while (reader.Read(out var row))
            rows.Add(row);
        return rows;
    }
}
