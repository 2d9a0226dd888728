using System.IO.Compression;
using System.Text;
using Sagas.FileIntake.Records;

namespace Sagas.UnitTests.FileIntake;

/// <summary>A file for one test.</summary>
internal sealed class TextFile : IDisposable
{
    private TextFile(byte[] content) => File.WriteAllBytes(Path, content);

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"sagas-test-{Guid.NewGuid():N}.csv");

    public static TextFile Of(string content) => new(Encoding.UTF8.GetBytes(content));

    public static TextFile Of(byte[] content) => new(content);

    public static byte[] Gzip(byte[] content)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest))
            gzip.Write(content);
        return compressed.ToArray();
    }

    /// <summary>All records, each as its fields, or as the name of its problem.</summary>
    public List<Row> Read(RecordReaderOptions? options = null, RecordPosition? from = null)
    {
        using var reader = RecordReader.Open(Path, options);
        if (from is { } position)
            reader.MoveTo(position);
        var rows = new List<Row>();
        while (reader.Read())
        {
            var fields =
                reader.Problem == RecordProblem.None
                    ? Enumerable.Range(0, reader.FieldCount).Select(reader.Text).ToArray()
                    : [reader.Problem.ToString(), reader.Excerpt()];
            rows.Add(new Row(string.Join("¦", fields), reader.Position, reader.Next));
        }
        return rows;
    }

    public string[] ReadTexts(RecordReaderOptions? options = null) => [.. Read(options).Select(row => row.Text)];

    public void Dispose() => File.Delete(Path);

    public sealed record Row(string Text, RecordPosition Position, RecordPosition Next);
}
