using System.Globalization;
using Sagas.Payments;

namespace Sagas.UnitTests.Payments;

public sealed class CurrenciesTests
{
    [Theory]
    [InlineData("12.3400", "EUR", "12.34")]
    [InlineData("12.3", "eur", "12.30")]
    [InlineData("12", "EUR", "12.00")]
    [InlineData("500.0000", "JPY", "500")]
    [InlineData("1.5", "KWD", "1.500")]
    [InlineData("1", "CLF", "1.0000")]
    [InlineData("1.0050", "EUR", "1.0050")]
    [InlineData("1.50", "XYZ", "1.50")]
    public void An_amount_has_the_decimals_of_its_currency(string amount, string code, string expected) =>
        Assert.Equal(
            expected,
            Currencies.Normalize(decimal.Parse(amount, CultureInfo.InvariantCulture), code).ToString(CultureInfo.InvariantCulture)
        );
}
