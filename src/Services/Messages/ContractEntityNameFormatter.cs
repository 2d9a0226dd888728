using MassTransit;

namespace Sagas.Services.Messages;

/// <summary>
/// Names the exchange of a message as the message itself, without its namespace: what a producer outside
/// .NET expects to find. Everything that publishes to or binds these exchanges must use it.
/// </summary>
/// <param name="contracts">The messages.</param>
/// <param name="others">Names all other messages, such as MassTransit's faults.</param>
public sealed class ContractEntityNameFormatter(ContractTypes contracts, IEntityNameFormatter others) : IEntityNameFormatter
{
    /// <inheritdoc />
    public string FormatEntityName<T>() => contracts.Contains(typeof(T)) ? typeof(T).Name : others.FormatEntityName<T>();
}
