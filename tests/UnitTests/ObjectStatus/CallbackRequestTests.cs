using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Sagas.Services.ObjectStatus;
using Sagas.Services.ObjectStatus.Callback;
using Sagas.UnitTests.FileIntake;

namespace Sagas.UnitTests.ObjectStatus;

public sealed class CallbackRequestTests
{
    private static readonly ObjectStatusOptions _options = new();

    private static CallbackRequest Parse(string body, int maximumIds = 100) =>
        CallbackRequest.Parse(new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(body)), maximumIds);

    [Theory]
    [InlineData("""{"object_ids":[1,2,3]}""", "1,2,3")]
    [InlineData("""{"object_ids":["1",1,"b"," b "]}""", "1,b")]
    [InlineData("""{"object_ids":[]}""", "")]
    [InlineData(
        """{"at":"now","object_ids":[-7,123456789012345678901234567890],"n":null}""",
        "-7,123456789012345678901234567890"
    )]
    [InlineData(" {\n\"object_ids\" : [ \"a b\" ] } ", "a b")]
    public void Numbers_and_texts_are_ids_each_once_and_other_fields_are_ignored(string body, string ids)
    {
        var request = Parse(body);

        Assert.Null(request.Problem);
        Assert.Equal(ids, string.Join(',', request.Ids));
    }

    [Theory]
    [InlineData("", 400, "empty")]
    [InlineData("""{"object_ids":[1002],"object_ids":[1004]}""", 400, "has the property 'object_ids' more than once")]
    [InlineData("""{"object_ids":[1],"of":[{"a":1,"b":2,"a":3}]}""", 400, "has the property 'a' more than once")]
    [InlineData("""{"object_ids":["\ud800"]}""", 400, "Unicode")]
    [InlineData("""{"\ud800":1,"\ud801":1}""", 400, "")]
    [InlineData("{", 400, "not JSON")]
    [InlineData("null", 400, "JSON object")]
    [InlineData("{}", 400, "no list")]
    [InlineData("""{"object_ids":{}}""", 400, "no list")]
    [InlineData("""{"object_ids":[true]}""", 400, "whole numbers")]
    [InlineData("""{"object_ids":[[1]]}""", 400, "whole numbers")]
    [InlineData("""{"object_ids":[1.0]}""", 400, "whole numbers")]
    [InlineData("""{"object_ids":[""]}""", 400, "empty")]
    [InlineData("""{"object_ids":["\n.\n\u0007."]}""", 400, "control")]
    [InlineData("""{"object_ids":[1,1,1,1]}""", 413, "at most 3")]
    public void An_invalid_body_is_rejected_with_a_message(string body, int status, string says)
    {
        var request = Parse(body, maximumIds: 3);

        Assert.Equal(status, request.Status);
        Assert.Contains(says, request.Problem);
        Assert.Empty(request.Ids);
    }

    [Fact]
    public void A_byte_order_mark_is_skipped() => Assert.Equal(["1010"], Parse("\ufeff{\"object_ids\":[1010]}").Ids);

    [Theory]
    [InlineData("gzip", 200, "1,2")]
    [InlineData("x-gzip", 200, "1,2")]
    [InlineData("br", 415, "gzip only")]
    [InlineData("gzip, gzip", 415, "gzip only")]
    public async Task A_body_may_be_compressed_by_gzip(string encoding, int status, string expected)
    {
        var request = await ReadAsync(TextFile.Gzip("""{"object_ids":[1,2]}"""u8.ToArray()), encoding);

        Assert.Equal(status, request.Status);
        Assert.Contains(expected, request.Problem ?? string.Join(',', request.Ids));
    }

    [Fact]
    public async Task The_size_limit_is_that_of_the_decompressed_body()
    {
        var bomb = TextFile.Gzip(new byte[64 * 1024 * 1024]);

        Assert.InRange(bomb.Length, 1, _options.MaxBodyBytes);
        Assert.Equal(413, (await ReadAsync(bomb, "gzip")).Status);
    }

    [Theory]
    [InlineData("""{"object_ids":[1]}""")]
    [InlineData("")]
    public async Task A_body_that_is_not_gzip_is_rejected(string body) =>
        Assert.Equal(400, (await ReadAsync(Encoding.UTF8.GetBytes(body), "gzip")).Status);

    [Fact]
    public async Task A_gzip_that_was_cut_off_is_rejected() =>
        Assert.Equal(400, (await ReadAsync(TextFile.Gzip("""{"object_ids":[1,2]}"""u8.ToArray())[..^12], "gzip")).Status);

    private static Task<CallbackRequest> ReadAsync(byte[] body, string encoding)
    {
        var request = new DefaultHttpContext().Request;
        request.Body = new MemoryStream(body);
        request.Headers.ContentEncoding = encoding;
        return CallbackRequest.ReadAsync(request, _options, CancellationToken.None);
    }

    [Fact]
    public void Deeply_nested_JSON_is_rejected() =>
        Assert.Equal(400, Parse($$"""{"object_ids":{{new string('[', 100_000)}}""").Status);
}
