using Npgsql;
using Sagas.Configuration;

namespace Sagas.Host.Settings;

/// <summary>Where the database is.</summary>
internal sealed record DatabaseOptions : IValidatedOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "ConnectionStrings";

    private const string Key = $"{Section}:{nameof(Postgres)}";

    private const string Example =
        "such as Host=localhost;Port=5432;Database=sagas;Username=sagas;Password=… "
        + "(as an environment variable: ConnectionStrings__Postgres)";

    /// <summary>
    /// Npgsql connection string. A warning is logged while it has the development password. Unless the string has them,
    /// <c>Maximum Pool Size</c> is 60, <c>Max Auto Prepare</c> 100, <c>Auto Prepare Min Usages</c> 2 and
    /// <c>No Reset On Close</c> true. A connection pooler must keep sessions (PgBouncer: <c>pool_mode = session</c>).
    /// </summary>
    public string Postgres { get; init; } =
        $"Host=localhost;Port=5432;Database=sagas;Username=sagas;Password={DevelopmentPassword.Value}";

    /// <summary>Whether the password is the development default, which is public.</summary>
    public bool HasDevelopmentPassword => Postgres.Contains(DevelopmentPassword.Value, StringComparison.Ordinal);

    /// <inheritdoc/>
    /// <remarks>No sentence quotes the value: it holds the password.</remarks>
    public IEnumerable<string> Validate()
    {
        if (Parse(Postgres) is not { } parts)
        {
            yield return $"{Key} cannot be read: use an Npgsql connection string {Example}.";
            yield break;
        }

        if (string.IsNullOrEmpty(parts.Host))
            yield return $"{Key} names no Host: use an Npgsql connection string {Example}.";
        if (string.IsNullOrEmpty(parts.Database))
            yield return $"{Key} names no Database: use an Npgsql connection string {Example}.";
    }

    private static NpgsqlConnectionStringBuilder? Parse(string connectionString)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(connectionString);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or InvalidCastException)
        {
            return null;
        }
    }

    // A record prints its members, and this one has a password.
    private bool PrintMembers(System.Text.StringBuilder text)
    {
        text.Append(nameof(HasDevelopmentPassword)).Append(" = ").Append(HasDevelopmentPassword);
        return true;
    }
}
