namespace Sagas.Services.Ingest;

/// <summary>A customer in a file. The texts are UTF-8 in the reader's buffer, empty for empty fields.</summary>
internal ref struct CustomerRow
{
    public ReadOnlySpan<byte> CustomerId;
    public ReadOnlySpan<byte> FirstName;
    public ReadOnlySpan<byte> LastName;
    public ReadOnlySpan<byte> Email;
    public ReadOnlySpan<byte> Phone;
    public ReadOnlySpan<byte> Source;

    /// <summary>Null for the file's time.</summary>
    public DateTimeOffset? RegisteredAt;
}
