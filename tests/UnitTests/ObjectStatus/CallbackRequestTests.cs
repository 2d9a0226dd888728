using System.Buffers;
using System.Text;
using Sagas.Services.ObjectStatus.Callback;

namespace Sagas.UnitTests.ObjectStatus;

public sealed class CallbackRequestTests
{
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
    [InlineData("", 400, "not JSON")]
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
    public void Deeply_nested_JSON_is_rejected() =>
        Assert.Equal(400, Parse($$"""{"object_ids":{{new string('[', 100_000)}}""").Status);
}
