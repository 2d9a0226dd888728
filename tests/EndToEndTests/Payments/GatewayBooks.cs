using System.Text.Json;
using Sagas.EndToEndTests.Processes;

namespace Sagas.EndToEndTests.Payments;

/// <summary>What the gateway did under one key.</summary>
/// <param name="Effects">How often money was charged.</param>
/// <param name="Declines">How often the payment was declined for the first time.</param>
/// <param name="Requests">How often it was requested.</param>
/// <param name="Reference">The gateway's name for the charge.</param>
/// <param name="Order">What was requested.</param>
internal sealed record GatewayEntry(int Effects, int Declines, int Requests, string? Reference, Order Order);

/// <summary>The gateway's record, by key.</summary>
internal static class GatewayBooks
{
    public static async Task<IReadOnlyDictionary<string, GatewayEntry>> ReadAsync(RunningSystem system)
    {
        var entries = new Dictionary<string, GatewayEntry>();
        await foreach (var record in system.RecordsAsync())
        {
            var key = record.GetProperty("key").GetString()!;
            var before = entries.GetValueOrDefault(key) ?? new GatewayEntry(0, 0, 0, null, OrderOf(record.GetProperty("body")));
            var outcome = record.GetProperty("outcome").GetString();
            entries[key] = before with
            {
                Effects = before.Effects + (record.GetProperty("effect").GetBoolean() ? 1 : 0),
                Declines = before.Declines + (outcome == "declined" ? 1 : 0),
                Requests = before.Requests + 1,
                Reference = record.TryGetProperty("reference", out var reference) ? reference.GetString() : before.Reference,
            };
        }

        return entries;
    }

    private static Order OrderOf(JsonElement body) =>
        new(
            body.GetProperty("paymentId").GetString()!,
            body.GetProperty("customerId").GetString()!,
            body.GetProperty("amount").GetDecimal()
        );
}
