using System.Text;
using Sagas.FileIntake.Records;

namespace Sagas.UnitTests.FileIntake;

public sealed class CompressedFileTests
{
    // bgzip ends its files with this empty member.
    private static readonly byte[] _emptyMember =
    [
        0x1F,
        0x8B,
        8,
        4,
        0,
        0,
        0,
        0,
        0,
        0xFF,
        6,
        0,
        0x42,
        0x43,
        2,
        0,
        0x1B,
        0,
        3,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
    ];

    private static readonly string[] _rows = Rows(1, 30_000);

    private static readonly byte[] _first = Member(_rows[..20_000]);

    private static readonly byte[] _second = Member(_rows[20_000..]);

    [Fact]
    public void All_members_of_a_file_are_read()
    {
        byte[][] blocks = [.. _rows.Chunk(700).Select(Member)];

        Assert.Equal(_rows, Whole([.. _first, .. _second]));
        Assert.Equal(_rows, Whole([.. blocks.SelectMany(block => block), .. _emptyMember]));
        Assert.Equal(_rows, Whole([.. _emptyMember, .. _first, .. _emptyMember, .. _second]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(100_000)]
    public void Zeros_after_the_last_member_are_padding(int zeros) =>
        Assert.Equal(_rows, Whole([.. _first, .. _second, .. new byte[zeros]]));

    [Fact]
    public void Anything_but_padding_after_the_last_member_is_reported()
    {
        byte[] damagedStart = [.. _second];
        damagedStart[0] = 0;
        foreach (var rest in new[] { damagedStart, [.. new byte[600], .. _second], "id,name\n1,x\n"u8.ToArray() })
        {
            var (rows, problem) = Read([.. _first, .. rest]);

            Assert.Equal(_rows[..20_000], rows);
            Assert.Equal($"What follows byte {Near(_first.Length, problem)} of the compressed file is not gzip.", problem);
        }
    }

    // The oracle decompresses byte by byte what is left of the file.
    [Fact]
    public void A_file_cut_at_any_byte_yields_every_whole_row_before_the_cut()
    {
        var all = _rows[..16];
        var (first, second) = (Member(all[..8]), Member(all[8..]));
        byte[] content = [.. first, .. second];
        for (var length = 3; length < content.Length; length++)
        {
            var (rows, problem) = Read(content[..length]);

            Assert.Equal(all.Take(rows.Length), rows);
            if (length == first.Length)
                Assert.Equal((8, null), (rows.Length, problem));
            else
                Assert.Equal("The compressed file was cut off: it ends in the middle of its content.", problem);
            Assert.Equal(WholeRows(content[..length]), rows.Length);
        }
    }

    [Fact]
    public void A_long_file_that_is_cut_yields_the_rows_before_the_cut()
    {
        foreach (var length in new[] { 50_000, _first.Length - 3, _first.Length + 20_000, _first.Length + _second.Length - 1 })
        {
            var content = ((byte[])[.. _first, .. _second])[..length];
            var (rows, problem) = Read(content);

            Assert.Equal(WholeRows(content), rows.Length);
            Assert.Equal("The compressed file was cut off: it ends in the middle of its content.", problem);
        }
    }

    [Theory]
    [InlineData(true, 20_000)]
    [InlineData(false, 30_000)]
    public void A_wrong_checksum_is_reported_after_the_rows_of_its_member(bool ofFirst, int rowsBefore)
    {
        byte[] content = [.. _first, .. _second];
        content[(ofFirst ? _first.Length : content.Length) - 6] ^= 1;

        var (rows, problem) = Read(content);

        Assert.Equal(_rows[..rowsBefore], rows);
        Assert.StartsWith("The compressed file is damaged at byte ", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_byte_loses_no_row_before_it()
    {
        byte[] content = [.. _first, .. _second];
        foreach (var at in new[] { 60_000, _first.Length + 30_000 })
        {
            var damaged = (byte[])content.Clone();
            damaged.AsSpan(at, 8).Fill(0xFF);

            var (rows, problem) = Read(damaged);

            Assert.NotNull(problem);
            Assert.InRange(rows.Length, WholeRows(content[..at]), 30_000);
            Assert.Equal(_rows.Take(WholeRows(content[..at])), rows.Take(WholeRows(content[..at])));
        }
    }

    [Fact]
    public void Reading_can_continue_at_every_record_of_every_member()
    {
        using var file = TextFile.Of([.. Member(Rows(1, 12)), .. _emptyMember, .. Member(Rows(13, 24))]);
        var all = file.Read();

        for (var index = 0; index < all.Count; index++)
            Assert.Equal(all.Skip(index + 1), file.Read(from: all[index].Next));
    }

    private static string[] Rows(int from, int to)
    {
        var random = new Random(from);
        return [.. Enumerable.Range(from, to - from + 1).Select(number => $"{number};{random.Next()};Zoë")];
    }

    private static byte[] Member(string[] rows) =>
        TextFile.Gzip(Encoding.UTF8.GetBytes(string.Concat(rows.Select(row => row + "\n"))));

    private static string[] Whole(byte[] content)
    {
        var (rows, problem) = Read(content);
        Assert.Null(problem);
        return rows;
    }

    private static (string[] Rows, string? Problem) Read(byte[] content)
    {
        using var file = TextFile.Of(content);
        var rows = new List<string>();
        try
        {
            using var reader = RecordReader.Open(file.Path);
            while (reader.Read())
                rows.Add(string.Join(';', Enumerable.Range(0, reader.FieldCount).Select(reader.Text)));
        }
        catch (InvalidDataException damaged)
        {
            return ([.. rows], damaged.Message);
        }
        return ([.. rows], null);
    }

    private static int WholeRows(byte[] content)
    {
        using var decompressed = new System.IO.Compression.GZipStream(
            new MemoryStream(content),
            System.IO.Compression.CompressionMode.Decompress
        );
        var rows = 0;
        try
        {
            for (var next = decompressed.ReadByte(); next >= 0; next = decompressed.ReadByte())
                rows += next == '\n' ? 1 : 0;
        }
        catch (InvalidDataException) { }
        return rows;
    }

    // Far from the end of the file the position is known to a few thousand bytes only.
    private static long Near(long place, string? problem)
    {
        var reported = long.Parse(
            problem!.Split(' ').First(word => word.All(char.IsDigit)),
            System.Globalization.CultureInfo.InvariantCulture
        );
        Assert.InRange(reported, place, place + 10_000);
        return reported;
    }
}
