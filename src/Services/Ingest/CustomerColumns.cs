using Sagas.FileIntake.Records;

namespace Sagas.Services.Ingest;

/// <summary>The columns of a file of customers.</summary>
internal static class CustomerColumns
{
    public const string CustomerId = "customer_id";
    public const string FirstName = "first_name";
    public const string LastName = "last_name";
    public const string Email = "email";
    public const string Phone = "phone";
    public const string RegisteredAt = "registered_at";
    public const string Source = "source";

    private static readonly FileColumn[] _columns =
    [
        new(CustomerId, true, "id", "customer", "customer number", "customer no", "customer key", "cust id"),
        new(FirstName, false, "given name", "forename", "fname", "first"),
        new(LastName, false, "family name", "surname", "lname", "last"),
        new(Email, false, "email address", "e-mail address", "mail"),
        new(Phone, false, "phone number", "telephone", "telephone number", "tel", "mobile"),
        new(RegisteredAt, false, "registered", "registered on", "registration date", "registration time"),
        new(Source, false, "source system"),
    ];

    /// <summary>The columns.</summary>
    public static IReadOnlyList<FileColumn> All => _columns;

    /// <summary>Their names, for messages.</summary>
    public static string Names => string.Join(", ", _columns.Select(column => column.Name));

    /// <summary>Finds a column by its name, ignoring case and punctuation.</summary>
    public static FileColumn? Find(string name) =>
        Array.Find(_columns, column => HeaderMap.Simplify(column.Name) == HeaderMap.Simplify(name));

    /// <summary>The columns with additional names from the configuration.</summary>
    public static IReadOnlyList<FileColumn> With(IReadOnlyDictionary<string, string> configured) =>
        [
            .. _columns.Select(column =>
                column with
                {
                    Aliases =
                    [
                        .. column.Aliases,
                        .. configured
                            .Where(entry => Find(entry.Key) == column)
                            .SelectMany(entry =>
                                entry.Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                            ),
                    ],
                }
            ),
        ];
}
