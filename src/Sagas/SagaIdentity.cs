using System.Security.Cryptography;
using System.Text;

namespace Sagas;

/// <summary>Correlation ids of sagas: every process computes the same id for the same thing.</summary>
public static class SagaIdentity
{
    // The namespace of this product's names; itself a version 5 UUID of the URL namespace and "urn:sagas".
    private static readonly Guid _namespace = Version5(new Guid("6ba7b811-9dad-11d1-80b4-00c04fd430c8"), "urn:sagas");

    /// <summary>The correlation id of a saga.</summary>
    /// <param name="kind">What the saga is about, such as <c>order</c>; each machine has its own.</param>
    /// <param name="id">Its identifier; white space around it does not count.</param>
    public static Guid Of(string kind, string id) => Version5(_namespace, $"{kind}:{id.Trim()}");

    /// <summary>The correlation id of a customer's saga.</summary>
    /// <param name="customerId">The customer's id; white space around it does not count.</param>
    public static Guid Customer(string customerId) => Of("customer", customerId);

    /// <summary>Writes the correlation id of a customer's saga; for millions of them, without a string for any.</summary>
    /// <param name="customerId">The customer's id in UTF-8, without white space around it; at most 1,024 bytes.</param>
    /// <param name="correlationId">16 bytes, as RFC 9562 orders them.</param>
    public static void WriteCustomer(ReadOnlySpan<byte> customerId, Span<byte> correlationId)
    {
        Span<byte> input = stackalloc byte[16 + 9 + customerId.Length];
        _namespace.TryWriteBytes(input, bigEndian: true, out _);
        "customer:"u8.CopyTo(input[16..]);
        customerId.CopyTo(input[25..]);
        Hash(input, correlationId);
    }

    /// <summary>The correlation id of a payment's saga.</summary>
    /// <param name="paymentId">The payment's id; white space around it does not count.</param>
    public static Guid Payment(string paymentId) => Of("payment", paymentId);

    /// <summary>The correlation id of a user's alarm digests.</summary>
    /// <param name="userId">The user's id; white space around it does not count.</param>
    public static Guid AlarmUser(string userId) => Of("alarm-user", userId);

    /// <summary>A name for an alert whose id cannot be in a header.</summary>
    /// <param name="alertId">The alert's id; white space around it does not count.</param>
    public static Guid Alert(string alertId) => Of("alert", alertId);

    /// <summary>A name-based UUID, version 5 (RFC 9562, section 5.5).</summary>
    /// <param name="space">The namespace.</param>
    /// <param name="name">The name; hashed as UTF-8.</param>
    public static Guid Version5(Guid space, string name)
    {
        var input = new byte[16 + Encoding.UTF8.GetByteCount(name)];
        space.TryWriteBytes(input, bigEndian: true, out _);
        Encoding.UTF8.GetBytes(name, input.AsSpan(16));
        Span<byte> uuid = stackalloc byte[16];
        Hash(input, uuid);
        return new Guid(uuid, bigEndian: true);
    }

    private static void Hash(ReadOnlySpan<byte> input, Span<byte> uuid)
    {
        Span<byte> hash = stackalloc byte[20];
#pragma warning disable CA5350 // RFC 9562 prescribes SHA-1 for version 5; nothing secret depends on it.
        SHA1.HashData(input, hash);
#pragma warning restore CA5350
        hash[6] = (byte)((hash[6] & 0x0F) | 0x50);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        hash[..16].CopyTo(uuid);
    }
}
