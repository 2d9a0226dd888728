namespace Sagas.Persistence;

/// <summary>Gives code inside a consume the transaction that it is part of.</summary>
internal interface IConsumeTransactionContext
{
    ConsumeTransaction Transaction { get; }
}
