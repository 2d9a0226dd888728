using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Sagas.Simulators.Webhooks;

/// <summary>Checks deliveries as the Standard Webhooks specification asks receivers to.</summary>
internal sealed class SignatureCheck(WebhookOptions options, TimeProvider timeProvider)
{
    private const string SecretPrefix = "whsec_";
    private const string Version = "v1,";

    private readonly byte[][] _keys = Keys(options.Secrets);

    /// <summary>The keys in a list of secrets; empty: one of them is invalid.</summary>
    public static byte[][] Keys(string secrets)
    {
        var parts = secrets.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries);
        var keys = new List<byte[]>();
        foreach (var part in parts)
        {
            var key = new byte[part.Length];
            if (
                !part.StartsWith(SecretPrefix, StringComparison.Ordinal)
                || !Convert.TryFromBase64String(part[SecretPrefix.Length..], key, out var length)
                || length == 0
            )
                return [];
            keys.Add(key[..length]);
        }

        return [.. keys];
    }

    /// <summary>What is wrong with a delivery's headers; null: nothing.</summary>
    public string? Mistake(string id, string timestamp, string signatures, ReadOnlySpan<byte> body)
    {
        if (id.Length == 0 || timestamp.Length == 0 || signatures.Length == 0)
            return "webhook-id, webhook-timestamp and webhook-signature are needed.";
        if (!long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            return "webhook-timestamp is seconds since 1970.";
        if (Math.Abs(timeProvider.GetUtcNow().ToUnixTimeSeconds() - seconds) > options.ToleranceSeconds)
            return "webhook-timestamp is too far from now.";

        byte[] signed = [.. Encoding.UTF8.GetBytes($"{id}.{timestamp}."), .. body];
        foreach (var signature in signatures.Split(' ').Where(part => part.StartsWith(Version, StringComparison.Ordinal)))
        {
            var given = new byte[signature.Length];
            if (!Convert.TryFromBase64String(signature[Version.Length..], given, out var length))
                continue;
            foreach (var key in _keys)
            {
                if (CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(key, signed), given.AsSpan(0, length)))
                    return null;
            }
        }

        return "No signature is by a secret known here.";
    }
}
