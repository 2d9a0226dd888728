using System.Text;
using Sagas.Services.Alerts;

namespace Sagas.HarnessTests.Alerts;

public sealed class WebhookSignatureTests
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    [Fact]
    public void The_example_of_the_specification_has_the_signature_that_it_gives()
    {
        var signature = WebhookSignature.Sign(
            WebhookSignature.Keys(Secret), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, Encoding.UTF8.GetBytes("""{"test": 2432232314}"""));

        Assert.Equal("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", signature);
    }

    [Fact]
    public void During_rotation_there_is_a_signature_by_each_secret()
    {
        var keys = WebhookSignature.Keys($"{AlertsOptions.DevelopmentSecret}, {Secret}");

        var signatures = WebhookSignature.Sign(keys, "id", 1, "x"u8).Split(' ');

        Assert.Equal(2, signatures.Distinct().Count());
        Assert.Equal(WebhookSignature.Sign([keys[1]], "id", 1, "x"u8), signatures[1]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    [InlineData("whsec_")]
    [InlineData("whsec_c2hvcnQ=")]
    [InlineData("whsec_not base64")]
    [InlineData(Secret + " whsec_c2hvcnQ=")]
    public void What_is_no_secret_is_not_taken_for_one(string secrets) => Assert.Empty(WebhookSignature.Keys(secrets));
}
