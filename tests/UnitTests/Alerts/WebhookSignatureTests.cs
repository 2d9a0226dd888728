using System.Text;
using Sagas.Services.Alerts;

namespace Sagas.UnitTests.Alerts;

public sealed class WebhookSignatureTests
{
    // The vector of the specification's own libraries.
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private const string Id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    private const long Timestamp = 1614265330;
    private const string Signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    private static readonly byte[] _body = Encoding.UTF8.GetBytes("{\"test\": 2432232314}");

    [Fact]
    public void A_delivery_is_signed_as_the_specification_says() =>
        Assert.Equal(Signature, WebhookSignature.Sign(WebhookSignature.Keys(Secret), Id, Timestamp, _body));

    [Fact]
    public void During_rotation_there_is_a_signature_by_each_secret_in_their_order()
    {
        var signatures = WebhookSignature
            .Sign(WebhookSignature.Keys($"{AlertsOptions.DevelopmentSecret}, {Secret}"), Id, Timestamp, _body)
            .Split(' ');

        Assert.Equal(2, signatures.Length);
        Assert.NotEqual(Signature, signatures[0]);
        Assert.Equal(Signature, signatures[1]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    [InlineData("whsec_not base64!")]
    [InlineData("whsec_c2hvcnQ=")]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw,whsec_c2hvcnQ=")]
    public void An_invalid_secret_is_rejected(string secrets) => Assert.Empty(WebhookSignature.Keys(secrets));
}
