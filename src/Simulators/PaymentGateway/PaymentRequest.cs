using Sagas.Simulators.Faults;
using Sagas.Simulators.Records;

namespace Sagas.Simulators.PaymentGateway;

/// <summary>A <c>POST /payments</c> as it was received: a payment, or the answer that says why it is not one.</summary>
internal sealed record PaymentRequest(DateTimeOffset At, Received Received, Payment? Payment, Answer? Mistake)
{
    private const int MaxBodyBytes = 16 * 1024;
    private const int MaxKeyLength = 255;

    public static async Task<PaymentRequest> ReadAsync(HttpRequest http, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var sentKey = http.Headers["Idempotency-Key"].ToString();
        var (body, isWhole) = await RequestBody.ReadAsync(http, MaxBodyBytes, cancellationToken);
        var (payment, mistake) = Payment.Read(body);
        var isJson = payment is not null;
        if (isJson)
            RequestBody.PutOnOneLine(body);

        // A rejected key is recorded only up to the length of a valid one.
        var key = sentKey.Length == 0 ? null : sentKey[..Math.Min(sentKey.Length, MaxKeyLength)];
        return new PaymentRequest(at, new Received(key, body, isJson), payment, Validate());

        Answer? Validate()
        {
            if (key is null || sentKey.Length > MaxKeyLength || !key.All(character => character is > ' ' and <= '~'))
                return Answer.Problem(
                    400,
                    "No idempotency key",
                    $"Idempotency-Key is 1 to {MaxKeyLength} visible ASCII characters."
                );
            if (!http.HasJsonContentType())
                return Answer.Problem(415, "Unsupported media type", "The body is application/json.");
            if (!isWhole)
                return Answer.Problem(413, "Body too large", $"A payment has at most {MaxBodyBytes} bytes.");
            return mistake is null ? null : Answer.Problem(400, "Not a payment", mistake);
        }
    }
}
