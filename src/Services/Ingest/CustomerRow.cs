namespace Sagas.Services.Ingest;

/// <summary>A customer as a file tells of it. The texts are UTF-8 in the reader's memory, and empty where the file says nothing.</summary>
internal ref struct CustomerRow
{
    public ReadOnlySpan<byte> CustomerId;
    public ReadOnlySpan<byte> FirstName;
    public ReadOnlySpan<byte> LastName;
    public ReadOnlySpan<byte> Email;
    public ReadOnlySpan<byte> Phone;
    public ReadOnlySpan<byte> Source;

    /// <summary>Null: the file's time.</summary>
    public DateTimeOffset? RegisteredAt;
}
