using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Sagas.Services.Alerts;

/// <summary>Signs according to the Standard Webhooks specification.</summary>
internal static class WebhookSignature
{
    private const string Prefix = "whsec_";
    private const int MinKeyBytes = 24;
    private const int MaxKeyBytes = 64;

    /// <summary>The keys in a list of secrets.</summary>
    /// <param name="secrets">Separated by commas or spaces.</param>
    /// <returns>Empty: one of them is not a secret.</returns>
    public static byte[][] Keys(string secrets)
    {
        var keys = new List<byte[]>();
        foreach (var secret in secrets.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries))
        {
            var key = new byte[secret.Length];
            if (
                !secret.StartsWith(Prefix, StringComparison.Ordinal)
                || !Convert.TryFromBase64String(secret[Prefix.Length..], key, out var length)
                || length is < MinKeyBytes or > MaxKeyBytes
            )
                return [];
            keys.Add(key[..length]);
        }

        return [.. keys];
    }

    /// <summary>The value of <c>webhook-signature</c>: one signature for each key, separated by spaces.</summary>
    /// <param name="keys">The keys.</param>
    /// <param name="id">The value of <c>webhook-id</c>.</param>
    /// <param name="timestamp">The value of <c>webhook-timestamp</c>, seconds since 1970.</param>
    /// <param name="body">The body as it is sent.</param>
    public static string Sign(IEnumerable<byte[]> keys, string id, long timestamp, ReadOnlySpan<byte> body)
    {
        var head = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{timestamp}."));
        byte[] signed = [.. head, .. body];
        return string.Join(' ', keys.Select(key => "v1," + Convert.ToBase64String(HMACSHA256.HashData(key, signed))));
    }
}
