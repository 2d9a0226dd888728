using System.Globalization;

namespace Sagas.EndToEndTests.Crm;

/// <summary>Customers, some of whom change while they are sent to the CRM.</summary>
/// <param name="customers">How many.</param>
/// <param name="changed">How many of them change; the first ones.</param>
internal sealed class CustomerLoad(int customers, int changed)
{
    /// <summary>What the ids of these customers begin with.</summary>
    public const string Prefix = "crm-";

    public int Customers => customers;

    /// <summary>The most times that the CRM stores data; a change before the first call saves one.</summary>
    public int MaxEffects => customers + changed;

    public static string Id(int number) => $"{Prefix}{number:D6}";

    public static int NumberOf(string id) => int.Parse(id.AsSpan(Prefix.Length), CultureInfo.InvariantCulture);

    public string LastName(int number) => number < changed ? "v2" : "v1";

    /// <summary>Registrations as other systems send them.</summary>
    public static IReadOnlyList<PlainMessage> Registrations(int from, int to, int version) =>
        [
            .. Enumerable
                .Range(from, to - from)
                .Select(number => new PlainMessage(
                    "CustomerRegistered",
                    $$"""
                    {"customerId":"{{Id(number)}}","firstName":"Ada","lastName":"v{{version}}","email":"c-{{number}}@example.com",
                     "registeredAt":"2026-01-01T00:00:0{{version}}Z"}
                    """
                )),
        ];

    /// <summary>The changes.</summary>
    public IReadOnlyList<PlainMessage> Changes => Registrations(0, changed, 2);

    /// <summary>Customers as rows of a file.</summary>
    public static IEnumerable<string> Rows(int from, int to) =>
        Enumerable
            .Range(from, to - from)
            .Select(number => $"{Id(number)},Ada,v1,c-{number}@example.com,2026-01-01T00:00:01Z")
            .Prepend("customer_id,first_name,last_name,email,registered_at");
}
