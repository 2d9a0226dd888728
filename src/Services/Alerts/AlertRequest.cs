using System.Text.Encodings.Web;
using System.Text.Json;

namespace Sagas.Services.Alerts;

/// <summary>What is delivered: the body of the webhook, and the outbound call's request.</summary>
/// <param name="UserId">The user.</param>
/// <param name="AlertMessage">The text for the user.</param>
internal sealed record AlertRequest(string UserId, string AlertMessage)
{
    // The body is JSON and nothing else, so letters of any script need no escape.
    private static readonly JsonSerializerOptions _json = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public byte[] ToBody() => JsonSerializer.SerializeToUtf8Bytes(this, _json);

    public string ToJson() => JsonSerializer.Serialize(this, _json);
}
