using System.Buffers;
using Sagas.Simulators.Faults;

namespace Sagas.Simulators.PaymentGateway;

/// <summary>A <c>POST /payments</c> as it was received: a payment, or the answer that says why it is none.</summary>
internal sealed record PaymentRequest(DateTimeOffset At, Received Received, Payment? Payment, Answer? Mistake)
{
    private const int LongestBody = 16 * 1024;
    private const int LongestKey = 255;

    public static async Task<PaymentRequest> ReadAsync(HttpRequest http, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var sentKey = http.Headers["Idempotency-Key"].ToString();
        var (body, isWhole) = await ReadBodyAsync(http, cancellationToken);
        var (payment, mistake) = Payment.Read(body);
        var isJson = payment is not null;
        if (isJson)
            PutOnOneLine(body);

        // A key that is refused is recorded only as far as a valid one could be long.
        var key = sentKey.Length == 0 ? null : sentKey[..Math.Min(sentKey.Length, LongestKey)];
        return new PaymentRequest(at, new Received(key, body, isJson), payment, Refuse());

        Answer? Refuse()
        {
            if (key is null || sentKey.Length > LongestKey || !key.All(character => character is > ' ' and <= '~'))
                return Answer.Problem(400, "No idempotency key", $"Idempotency-Key is 1 to {LongestKey} visible ASCII characters.");
            if (!http.HasJsonContentType())
                return Answer.Problem(415, "Unsupported media type", "The body is application/json.");
            if (!isWhole)
                return Answer.Problem(413, "Body too large", $"A payment has at most {LongestBody} bytes.");
            return mistake is null ? null : Answer.Problem(400, "Not a payment", mistake);
        }
    }

    /// <summary>The body, or of one that is too long its beginning.</summary>
    private static async Task<(byte[] Body, bool IsWhole)> ReadBodyAsync(HttpRequest http, CancellationToken cancellationToken)
    {
        var reader = http.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            if (read.IsCompleted || read.Buffer.Length > LongestBody)
            {
                var isWhole = read.Buffer.Length <= LongestBody;
                var body = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, LongestBody)).ToArray();
                reader.AdvanceTo(read.Buffer.End);
                return (body, isWhole);
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    /// <summary>In valid JSON line ends stand between tokens only, so a space means the same.</summary>
    private static void PutOnOneLine(Span<byte> json)
    {
        json.Replace((byte)'\r', (byte)' ');
        json.Replace((byte)'\n', (byte)' ');
    }
}
