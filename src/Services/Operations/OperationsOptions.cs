namespace Sagas.Services.Operations;

/// <summary>The operators' interface: the section <c>Operations</c>.</summary>
public sealed record OperationsOptions
{
    /// <summary>What a caller sends in the header <c>X-Api-Key</c>; null: nothing can be changed.</summary>
    public string? ApiKey { get; init; }
}
