using System.Text;
using Sagas.FileIntake.Records;

namespace Sagas.UnitTests.FileIntake;

public sealed class RecordReaderTests
{
    private static readonly RecordReaderOptions _short = new() { MaxRecordBytes = 64 };

    [Theory]
    [InlineData("a,b\nc,d\n", "a¦b", "c¦d")]
    [InlineData("a,b\r\nc,d", "a¦b", "c¦d")]
    [InlineData("a,b\r\nc,d\r", "a¦b", "c¦d")]
    [InlineData("a,\"b, \"\"c\"\"\"\nd,e", "a¦b, \"c\"", "d¦e")]
    [InlineData("a,\"b\r\nc\"\r\nd,e", "a¦b\r\nc", "d¦e")]
    [InlineData("a,\n,b\n", "a¦", "¦b")]
    [InlineData("a,b\n,\n\"\", \nc,d\n,,,,\n", "a¦b", "c¦d")]
    [InlineData("a,b\rc,\"d\ne\"\rf,g\r", "a¦b", "c¦d\ne", "f¦g")]
    [InlineData("a,b\r\r\nc,\"d\"\r\r\ne,f", "a¦b", "c¦d", "e¦f")]
    [InlineData("a, \"b, c\" \n \"d\" ,e", "a¦b, c", "d¦e")]
    [InlineData("a,b\n\uFEFFc,d\n\uFEFF\"e\",f\n", "a¦b", "c¦d", "e¦f")]
    [InlineData("a,b\n\u001A", "a¦b")]
    [InlineData("a,b\n\u001Ac,d\n\u001A", "a¦b", "c¦d")]
    [InlineData("sep=;\r\na;b,c\r\n", "a¦b,c")]
    [InlineData("\uFEFF\"SEP=|\"\na|b,c,d\n", "a¦b,c,d")]
    [InlineData("sep=\t\na\tb;c;d\n", "a¦b;c;d")]
    [InlineData("a;b, c\nd;e, f\n", "a¦b, c", "d¦e, f")]
    [InlineData("a,b; c\nd,e; f\n", "a¦b; c", "d¦e; f")]
    [InlineData("a,5\" pipe\nb,c", "a¦5\" pipe", "b¦c")]
    [InlineData("a,\"\"\nb,\"\"\"\"", "a¦", "b¦\"")]
    [InlineData("\n\r\na,b\n\n\nc,d\n\n", "a¦b", "c¦d")]
    [InlineData("a\tb\nc\td,e\n", "a¦b", "c¦d,e")]
    [InlineData("a;b\nc;d,e,f\n", "a¦b", "c¦d,e,f")]
    [InlineData("a|b\nc|d\n", "a¦b", "c¦d")]
    [InlineData("", new string[0])]
    [InlineData("a", "a")]
    [InlineData("a,\"b\"", "a¦b")]
    public void Valid_records_are_parsed(string content, params string[] expected)
    {
        using var file = TextFile.Of(content);

        Assert.Equal(expected, file.ReadTexts());
    }

    [Theory]
    [InlineData("a,b\n\"c,d\ne,f\ng,h\n", "a¦b", "QuoteNotClosed¦\"c,d", "e¦f", "g¦h")]
    [InlineData("a,b\n\"c\"d,e\nf,g", "a¦b", "TextAfterQuote¦\"c\"d,e", "f¦g")]
    [InlineData("a,b\n\"c,d\n\"e\",f\ng,h\n", "a¦b", "TextAfterQuote¦\"c,d", "e¦f", "g¦h")]
    [InlineData("a,b\n\"c,d", "a¦b", "QuoteNotClosed¦\"c,d")]
    [InlineData("a,b\n\"c\"\rd,e\nf,g\n", "a¦b", "TextAfterQuote¦\"c\"\rd,e", "f¦g")]
    [InlineData("a,b\nc,d\re,f\ng,h\n", "a¦b", "StrayLineBreak¦c,d\re,f", "g¦h")]
    [InlineData("a,b\nc,\rd\ne,f\n", "a¦b", "StrayLineBreak¦c,\rd", "e¦f")]
    public void A_broken_quote_invalidates_only_its_line(string content, params string[] expected)
    {
        using var file = TextFile.Of(content);

        Assert.Equal(expected, file.ReadTexts());
    }

    [Fact]
    public void A_quote_never_closed_in_a_large_file_invalidates_only_its_line()
    {
        var lines = Enumerable.Range(0, 50_000).Select(n => n == 3 ? "\"3,open" : $"{n},name {n}").ToArray();
        using var file = TextFile.Of(string.Join("\n", lines));

        var rows = file.Read();

        Assert.Equal(lines.Length, rows.Count);
        Assert.Equal("QuoteNotClosed¦\"3,open", rows[3].Text);
        Assert.Equal("49999¦name 49999", rows[^1].Text);
        Assert.Equal(Enumerable.Range(1, lines.Length).Select(n => (long)n), rows.Select(row => row.Position.Line));
    }

    [Theory]
    [InlineData(100)]
    [InlineData(5_000_000)]
    public void A_line_that_is_too_long_invalidates_only_itself(int length)
    {
        using var file = TextFile.Of($"a,b\n{new string('x', length)},c\nd,e\n");

        var rows = file.Read(_short);

        Assert.Equal(
            ["a¦b", "d¦e"],
            rows.Where(row => !row.Text.StartsWith("TooLong", StringComparison.Ordinal)).Select(row => row.Text)
        );
        Assert.Equal(3, rows.Count);
        Assert.Equal(new RecordPosition(4 + length + 3, 3), rows[2].Position);
    }

    [Theory]
    [InlineData("sep=;\r\nid;name\r\n1;a\r\n", 3)]
    [InlineData("id;name\r1;a\r", 2)]
    public void Lines_are_counted_with_every_line_break_and_first_line(string content, long line)
    {
        using var file = TextFile.Of(content);
        var all = file.Read();

        Assert.Equal(("1¦a", line), (all[1].Text, all[1].Position.Line));
        Assert.Equal(all.Skip(1), file.Read(from: all[0].Next));
        Assert.Equal(content.Length, all[^1].Next.Offset);
    }

    [Fact]
    public void No_more_is_read_than_asked_for()
    {
        using var file = TextFile.Of("a,b\nc,d\ne,f\n");
        var compressed = TextFile.Gzip("a,b\nc,d\n"u8.ToArray());
        using var longer = TextFile.Of([.. compressed, .. TextFile.Gzip("e,f\n"u8.ToArray())]);

        Assert.Equal(["a¦b", "c¦d"], file.ReadTexts(new RecordReaderOptions { Length = 8 }));
        Assert.Equal(["a¦b", "c¦d"], longer.ReadTexts(new RecordReaderOptions { Length = compressed.Length }));
    }

    public static TheoryData<byte[], string> OtherFormats =>
        new()
        {
            { [0x50, 0x4B, 3, 4, 20, 0], "Excel" },
            { [0xD0, 0xCF, 0x11, 0xE0], "Excel" },
            { "%PDF-1.7\n"u8.ToArray(), "PDF" },
            { [0x28, 0xB5, 0x2F, 0xFD, 4], "gzip" },
            { TextFile.Gzip(TextFile.Gzip("id\n1\n"u8.ToArray())), "gzip" },
            { "\uFEFF <html>"u8.ToArray(), "HTML" },
            { "{\"userId\":1,\"alertMessage\":\"x\"}\n"u8.ToArray(), "JSON" },
            { "[\n {\"userId\":1}]"u8.ToArray(), "JSON" },
            { [0xFF, 0xFE, 0, 0, 0x69, 0, 0, 0], "UTF-32" },
        };

    [Theory]
    [MemberData(nameof(OtherFormats))]
    public void A_file_of_another_format_is_recognised(byte[] content, string problem)
    {
        using var file = TextFile.Of(content);
        using var reader = RecordReader.Open(file.Path);

        Assert.Contains(problem, reader.Format.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Too_many_fields_invalidate_only_their_line()
    {
        using var file = TextFile.Of("a,b\n1,2,3,4\nc,d\n");

        Assert.Equal(["a¦b", "TooManyFields¦1,2,3,4", "c¦d"], file.ReadTexts(new RecordReaderOptions { MaxFields = 3 }));
    }

    [Theory]
    [InlineData("utf-8", false, TextEncoding.Utf8)]
    [InlineData("utf-8", true, TextEncoding.Utf8)]
    [InlineData("utf-16", false, TextEncoding.Utf16LittleEndian)]
    [InlineData("utf-16", true, TextEncoding.Utf16LittleEndian)]
    [InlineData("utf-16BE", false, TextEncoding.Utf16BigEndian)]
    [InlineData("utf-16BE", true, TextEncoding.Utf16BigEndian)]
    [InlineData("windows-1252", false, TextEncoding.Windows1252)]
    public void Every_encoding_is_recognised(string name, bool mark, TextEncoding expected)
    {
        const string Content = "id;name\n1;Jürgen “Käse” €\n2;\"Zoë\nŒuvre\"\n3;Ada\n";
        var encoding = CodePagesEncodingProvider.Instance.GetEncoding(name) ?? Encoding.GetEncoding(name);
        using var file = TextFile.Of([.. mark ? encoding.GetPreamble() : [], .. encoding.GetBytes(Content)]);

        using (var reader = RecordReader.Open(file.Path))
            Assert.Equal(expected, reader.Format.Encoding);
        Assert.Equal(["id¦name", "1¦Jürgen “Käse” €", "2¦Zoë\nŒuvre", "3¦Ada"], file.ReadTexts());
        Assert.Equal(file.Read()[^1].Next.Offset, new FileInfo(file.Path).Length);
    }

    [Fact]
    public void A_file_with_Windows_1252_text_after_much_ascii_is_read_as_Windows_1252()
    {
        var ascii = string.Concat(Enumerable.Range(0, 20_000).Select(n => $"{n},plain\n"));
        using var file = TextFile.Of([.. Encoding.ASCII.GetBytes(ascii), .. Encoding.Latin1.GetBytes("x,Jürgen\n")]);

        Assert.Equal("x¦Jürgen", file.ReadTexts()[^1]);
    }

    // The code page leaves five bytes undefined; they must not shift the offsets of the records after them.
    [Fact]
    public void Every_byte_of_Windows_1252_is_one_character()
    {
        byte[] upper = [.. Enumerable.Range(0x80, 0x80).Select(value => (byte)value)];
        byte[] content = [.. "id;näme\n1;"u8[..3], .. Encoding.Latin1.GetBytes("näme\n1;"), .. upper, .. "\n2;x\n"u8];
        using var file = TextFile.Of(content);

        var all = file.Read();

        Assert.Equal("1¦".Length + upper.Length, all[1].Text.Length);
        Assert.EndsWith("þÿ", all[1].Text, StringComparison.Ordinal);
        Assert.DoesNotContain('\uFFFD', all[1].Text);
        Assert.Equal(["2¦x"], file.Read(from: all[1].Next).Select(row => row.Text));
        Assert.Equal(content.Length, all[^1].Next.Offset);
    }

    [Fact]
    public void Broken_UTF_8_invalidates_only_its_record()
    {
        using var file = TextFile.Of([.. "a,Jürgen\n"u8, .. "b,x\xFFy\n"u8[..3], 0xFF, .. "y\nc,Zoë\n"u8]);

        var texts = file.ReadTexts();

        Assert.Equal(["a¦Jürgen", "c¦Zoë"], [texts[0], texts[2]]);
        Assert.StartsWith("InvalidText", texts[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_compressed_file_is_read_decompressed()
    {
        using var file = TextFile.Of(TextFile.Gzip(Encoding.Unicode.GetBytes("\uFEFFid,name\n1,Zoë\n")));

        Assert.Equal(["id¦name", "1¦Zoë"], file.ReadTexts());
    }

    [Fact]
    public void A_truncated_compressed_file_is_an_error()
    {
        var random = new Random(1);
        var content = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 20_000).Select(_ => $"{random.Next()},x\n")));
        using var file = TextFile.Of(TextFile.Gzip(content)[..^2000]);

        Assert.ThrowsAny<InvalidDataException>(() => file.Read());
    }

    // In any encoding, a reader that starts at any record reads what a reader from the start reads from there on.
    [Theory]
    [InlineData("utf-8", false)]
    [InlineData("utf-8", true)]
    [InlineData("utf-16", false)]
    [InlineData("utf-16BE", false)]
    [InlineData("windows-1252", false)]
    public void Reading_can_continue_at_every_record(string name, bool compressed)
    {
        var random = new Random(7);
        var lines = Enumerable
            .Range(0, 100)
            .Select(n =>
                random.Next(10) switch
                {
                    0 => $"{n},\"öpen\nünd \"\"clösed\"\"\"\r\n",
                    1 => $"{n},\"öpen\n",
                    2 => $"\n{n},{new string('ß', 40)}\n",
                    3 when name.StartsWith("utf", StringComparison.Ordinal) => $"{n},\U0001F600\n",
                    4 => $"\"{n}\"x,äfter\n",
                    _ => $"{n},Jürgen {n}\n",
                }
            );
        var encoding = CodePagesEncodingProvider.Instance.GetEncoding(name) ?? Encoding.GetEncoding(name);
        byte[] content = [.. encoding.GetPreamble(), .. encoding.GetBytes("id,näme\n" + string.Concat(lines))];
        using var file = TextFile.Of(compressed ? TextFile.Gzip(content) : content);
        var all = file.Read(_short);

        Assert.Equal(content.Length, all[^1].Next.Offset);
        for (var index = 0; index < all.Count; index++)
            Assert.Equal(all.Skip(index + 1), file.Read(_short, all[index].Next));
    }

    // Every field is quoted, so that any text may be in it.
    [Fact]
    public void Random_records_are_read_as_they_were_written()
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var random = new Random(seed);
            string[] pieces = ["a", "Zoë", ",", "\"", "\n", "\r\n", " ", "€", "\U0001F600", "", "x\ry"];
            var records = Enumerable
                .Range(0, random.Next(1, 400))
                .Select(_ =>
                    Enumerable
                        .Range(0, 3)
                        .Select(_ =>
                            string.Concat(Enumerable.Range(0, random.Next(4)).Select(_ => pieces[random.Next(pieces.Length)]))
                        )
                        .ToArray()
                )
                // What looks like a row of nothing but delimiters is skipped.
                .Where(record => record.Any(field => field.Trim(' ', ',', '"').Length > 0))
                .ToArray();
            var lineEnd = random.Next(2) == 0 ? "\n" : "\r\n";
            using var file = TextFile.Of(
                string.Concat(records.Select(record => string.Join(',', record.Select(Quoted)) + lineEnd))
            );

            Assert.Equal(
                records.Select(record => string.Join("¦", record)),
                file.ReadTexts(new RecordReaderOptions { Delimiter = ',' })
            );
        }
    }

    private static string Quoted(string field) => $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
