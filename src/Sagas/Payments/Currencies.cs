using System.Collections.Frozen;

namespace Sagas.Payments;

/// <summary>
/// The currencies of ISO 4217 in which a payment can be made, with their decimals: active codes, without metals, funds for
/// testing and "none".
/// </summary>
/// <remarks>The source is list one of the maintenance agency, columns "Ccy" and "CcyMnrUnts":
/// https://www.six-group.com/en/products-services/financial-information/data-standards.html.</remarks>
public static class Currencies
{
    // More is a typing error.
    private const decimal MaxAmount = 1_000_000_000_000m;

    private static readonly string[] _byDecimals =
    [
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
        "",
        """
            AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY
            COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS
            INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR
            MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP
            STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
            """,
        "BHD IQD JOD KWD LYD OMR TND",
        "CLF UYW",
    ];

    private static readonly FrozenDictionary<string, int> _decimals = _byDecimals
        .SelectMany(
            (codes, decimals) =>
                codes
                    .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
                    .Select(code => KeyValuePair.Create(code, decimals))
        )
        .ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a code is one of them, in any case.</summary>
    public static bool Contains(string code) => _decimals.ContainsKey(code);

    /// <summary>What is wrong with an amount, as the end of a sentence that begins with its name; null: nothing. Zeros at the
    /// end of its decimals do not count.</summary>
    /// <param name="amount">How much.</param>
    /// <param name="code">One of the currencies.</param>
    public static string? Problem(decimal amount, string code) =>
        amount <= 0 ? "must be greater than zero"
        : amount > MaxAmount ? $"must be at most {MaxAmount:0}"
        : decimal.Round(amount, _decimals[code]) == amount ? null
        : _decimals[code] == 0 ? $"must be a whole number, because {code.ToUpperInvariant()} has no decimals"
        : $"must have at most {_decimals[code]} decimals, as {code.ToUpperInvariant()} has";

    /// <summary>The amount with exactly the decimals of its currency, such as 12.30 EUR and 500 JPY.</summary>
    /// <param name="amount">How much. One that needs more decimals keeps them.</param>
    /// <param name="code">The currency; with another code the amount stays as it is.</param>
    public static decimal Normalize(decimal amount, string code) =>
        // A sum has the decimals of the summand that has more.
        _decimals.TryGetValue(code, out var decimals)
        && decimal.Round(amount, decimals) is var rounded
        && rounded == amount
            ? rounded + new decimal(0, 0, 0, isNegative: false, (byte)decimals)
            : amount;
}
